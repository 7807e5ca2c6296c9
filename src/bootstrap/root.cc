#include "bootstrap/root.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>

#include "base/config.h"
#include "bootstrap/bootstrap.h"
#include "bootstrap/listener.h"
#include "bootstrap/root_server.h"
#include "bootstrap/unique_id.h"

namespace xccl {
namespace {

// ---- The threads ----------------------------------------------------------------------------

struct Service {
    xcclUniqueId id{};
    std::mutex busy;                     // held by the thread while it works
    std::unique_ptr<RootServer> server;  // null once it is over; guarded by `busy`
    std::atomic<bool> stop{false};
    std::atomic<bool> is_over{false};
    pthread_t thread{};

    void end() {
        // Pairs with the acquire load of the server's loop.
        stop.store(true, std::memory_order_release);
        const std::lock_guard lock(busy);
        if (server) server->wake();
    }
};

void* serve(void* argument) {
    auto* service = static_cast<Service*>(argument);
    service->server->run(&service->busy, &service->stop);
    const std::lock_guard lock(service->busy);
    service->server.reset();
    service->is_over.store(true, std::memory_order_release);
    return nullptr;
}

// All rendezvous of this process. Never destroyed, so that threads may use it to the very end; they
// are ended before the process goes.
class Keeper {
  public:
    static Keeper& instance() {
        static Keeper* const keeper = new Keeper;
        [[maybe_unused]] static const int at_exit = std::atexit([] { keeper->end_all(); });
        return *keeper;
    }

    Status start(const xcclUniqueId& id, std::unique_ptr<RootServer> server) {
        const std::lock_guard lock(mutex_);
        bury_the_dead();
        auto service = std::make_unique<Service>();
        service->id = id;
        service->server = std::move(server);
        const int error = start_thread(service.get());
        if (error != 0) {
            return system_error("cannot start the thread of a rendezvous: {}",
                                errno_text("pthread_create", error));
        }
        services_.push_back(std::move(service));
        count_.store(services_.size(), std::memory_order_relaxed);
        return ok_status();
    }

    void end(const xcclUniqueId& id) {
        if (count_.load(std::memory_order_relaxed) == 0) return;
        const std::lock_guard lock(mutex_);
        for (const auto& service : services_) {
            if (std::memcmp(&service->id, &id, sizeof id) == 0) service->end();
        }
    }

    int live_count() {
        const std::lock_guard lock(mutex_);
        bury_the_dead();
        return static_cast<int>(services_.size());
    }

  private:
    Keeper() { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }

    static int start_thread(Service* service) {
        constexpr std::size_t kStackBytes = 1 << 20;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, kStackBytes);
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        const int error = pthread_create(&service->thread, &attributes, serve, service);
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        pthread_attr_destroy(&attributes);
        return error;
    }

    void bury_the_dead() {
        services_.remove_if([](const std::unique_ptr<Service>& service) {
            if (!service->is_over.load(std::memory_order_acquire)) return false;
            pthread_join(service->thread, nullptr);
            return true;
        });
        count_.store(services_.size(), std::memory_order_relaxed);
    }

    void end_all() {
        const std::lock_guard lock(mutex_);
        for (const auto& service : services_) service->end();
        for (const auto& service : services_) pthread_join(service->thread, nullptr);
        services_.clear();
    }

    // The child has none of the threads. Their descriptors are closed, or a rank that dies would
    // seem to live in the child; what their locks guard was at rest when the child was made.
    static void before_fork() {
        Keeper& keeper = instance();
        keeper.mutex_.lock();
        for (const auto& service : keeper.services_) service->busy.lock();
    }
    static void after_fork_in_parent() {
        Keeper& keeper = instance();
        for (const auto& service : keeper.services_) service->busy.unlock();
        keeper.mutex_.unlock();
    }
    static void after_fork_in_child() {
        Keeper& keeper = instance();
        for (auto& service : keeper.services_) {
            service->server.reset();
            service->busy.unlock();
        }
        keeper.services_.clear();
        keeper.mutex_.unlock();
    }

    std::mutex mutex_;
    std::list<std::unique_ptr<Service>> services_;
    std::atomic<std::size_t> count_{0};  // of services_; read without the lock
};

// ---- What they are made from ----------------------------------------------------------------

Result<xcclUniqueId> open_root(Listener listener, const Secret& secret, bool agreed_port) {
    const xcclUniqueId id =
        pack_id({.addresses = listener.addresses, .secret = secret, .agreed_port = agreed_port});
    XCCL_ASSIGN(auto server, RootServer::open(std::move(listener.socket), secret));
    XCCL_TRY(Keeper::instance().start(id, std::move(server)));
    return id;
}

Result<SocketAddress> resolve(const std::string& endpoint) {
    const std::size_t colon = endpoint.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return invalid_argument("'{}' is no endpoint: expected host:port", endpoint);
    }
    Result<SocketAddress> numeric = parse_endpoint(endpoint);
    if (numeric.ok()) return numeric;
    const std::string host = endpoint.substr(0, colon);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (error != 0) {
        return invalid_argument("the host of '{}' is not known: {}", endpoint, gai_strerror(error));
    }
    SocketAddress address;
    address.length = found->ai_addrlen;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    XCCL_ASSIGN(const SocketAddress port, parse_endpoint("0.0.0.0" + endpoint.substr(colon)));
    address.set_port(port.port());
    return address;
}

}  // namespace

Result<xcclUniqueId> create_root() {
    XCCL_ASSIGN(Listener listener, listen_on(config().socket_ifname));
    return open_root(std::move(listener), make_secret(), false);
}

Result<xcclUniqueId> create_root_at(const std::string& endpoint, const Secret& secret) {
    XCCL_ASSIGN(const SocketAddress address, resolve(endpoint));
    XCCL_ASSIGN(Listener listener, listen_at(address));
    return open_root(std::move(listener), secret, true);
}

Result<xcclUniqueId> id_of_root_at(const std::string& endpoint, const Secret& secret) {
    XCCL_ASSIGN(const SocketAddress address, resolve(endpoint));
    if (address.port() == 0) return invalid_argument("'{}' has no port", endpoint);
    return pack_id({.addresses = {address}, .secret = secret, .agreed_port = true});
}

void end_root(const xcclUniqueId& id) {
    Keeper::instance().end(id);
}

int live_root_count() {
    return Keeper::instance().live_count();
}

}  // namespace xccl
