#include "bootstrap/meeting_place.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/unix_address.h"
#include "trust/wait.h"

namespace xccl {
namespace {

constexpr int kPauseMs = 20;             // between attempts at a place that is taken
constexpr std::int64_t kTakenMs = 2000;  // how long the last owner may need to go
constexpr std::int64_t kConnectMs = 5000;

constexpr int kSocketFlags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

struct FreeAddresses {
    void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const char* host, const std::string& port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host, port.c_str(), &hints, &found);
    if (error != 0) {
        return remote_error("the host name {} is not known: {}", host != nullptr ? host : "*",
                            gai_strerror(error));
    }
    return Addresses(found);
}

bool is_numeric(const std::string& host) {
    return resolve(host.c_str(), "1", AI_NUMERICHOST).ok();
}

Result<OwnedDescriptor> listen_on(const addrinfo& address) {
    OwnedDescriptor listener(socket(address.ai_family, kSocketFlags, 0));
    if (!listener) return descriptor_failure("the job's meeting place", errno);
    const int on = 1;
    const int off = 0;
    setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ai_family == AF_INET6) {  // for callers over IPv4 too
        setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(listener.get(), address.ai_addr, address.ai_addrlen) != 0 ||
        listen(listener.get(), SOMAXCONN) != 0) {
        return errno == EADDRINUSE ? invalid_usage("in use")
                                   : system_error("{}", errno_text("bind", errno));
    }
    return listener;
}

// Ends what connect() began on a non-blocking socket.
Status finish_connecting(int socket, Deadline deadline) {
    XCCL_TRY(wait_for(socket, POLLOUT, deadline, nullptr));
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return remote_error("{}", errno_text("connect", error));
    return ok_status();
}

Result<OwnedDescriptor> connect_to(const addrinfo& address, Deadline deadline) {
    OwnedDescriptor connection(socket(address.ai_family, kSocketFlags, 0));
    if (!connection) return descriptor_failure("a visit to process 0", errno);
    if (::connect(connection.get(), address.ai_addr, address.ai_addrlen) != 0) {
        if (errno != EINPROGRESS) return remote_error("{}", errno_text("connect", errno));
        XCCL_TRY(finish_connecting(connection.get(), deadline));
    }
    return connection;
}

}  // namespace

MeetingPlace MeetingPlace::on_host(std::string_view job) {
    // Not secret: who may come is decided by the user id.
    return on_host(job, derive(Secret{}, "job of this host", job));
}

MeetingPlace MeetingPlace::on_host(std::string_view job, const Secret& secret) {
    MeetingPlace place;
    const std::string owner = fmt::format("{} {}", geteuid(), job);
    const Secret name = derive(Secret{}, "meeting place", owner);
    const std::string_view bytes(reinterpret_cast<const char*>(name.data()), 16);
    place.socket_name_ = "xccl-job-" + to_hex(bytes);
    place.secret_ = secret;
    place.text_ = fmt::format("the socket of job {} on this host", job);
    return place;
}

MeetingPlace MeetingPlace::at_address(const std::string& endpoint, const Secret& secret) {
    MeetingPlace place;
    const std::size_t colon = endpoint.rfind(':');
    place.host_ = endpoint.substr(0, colon);
    place.port_ = endpoint.substr(colon + 1);
    if (place.host_.size() > 2 && place.host_.front() == '[') {
        place.host_ = place.host_.substr(1, place.host_.size() - 2);
    }
    place.secret_ = secret;
    place.text_ = endpoint;
    return place;
}

Result<OwnedDescriptor> MeetingPlace::try_listen_on_host() const {
    OwnedDescriptor listener(socket(AF_UNIX, kSocketFlags, 0));
    if (!listener) return descriptor_failure("the job's meeting place", errno);
    const UnixAddress address = abstract_address(socket_name_);
    if (bind(listener.get(), address.get(), address.length) != 0 ||
        ::listen(listener.get(), SOMAXCONN) != 0) {
        return errno == EADDRINUSE ? invalid_usage("in use")
                                   : system_error("{}", errno_text("bind", errno));
    }
    return listener;
}

// A numeric address is taken literally. A name may mean something else on this host than elsewhere
// (127.0.1.1 is common), so behind a name all addresses of this host are open.
Result<OwnedDescriptor> MeetingPlace::try_listen_at_address() const {
    const bool literal = is_numeric(host_);
    XCCL_ASSIGN(const Addresses addresses,
                resolve(literal ? host_.c_str() : nullptr, port_, AI_PASSIVE));
    Status failure = system_error("no address");
    for (const int family : {AF_INET6, AF_INET}) {  // IPv6 serves both, where there is any
        for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
            if (one->ai_family != family) continue;
            auto listener = listen_on(*one);
            if (listener.ok()) return listener;
            failure = listener.status();
            if (failure.code() == xcclInvalidUsage) return failure;
        }
    }
    return failure;
}

Result<OwnedDescriptor> MeetingPlace::listen(Deadline deadline) const {
    const Deadline patience = deadline.earlier(Deadline::after_ms(kTakenMs));
    for (;;) {
        auto listener = socket_name_.empty() ? try_listen_at_address() : try_listen_on_host();
        if (listener.ok()) return listener;
        if (listener.status().code() != xcclInvalidUsage) {
            return system_error("process 0 cannot listen at {}: {}", text_,
                                listener.status().text());
        }
        if (pause_for(kPauseMs, patience, nullptr)) continue;
        return invalid_usage(
            "another process listens at {}: does it take itself for process 0 of this job (a "
            "launcher's variables reach the children of its processes), or does another job run?",
            text_);
    }
}

Result<OwnedDescriptor> MeetingPlace::connect_on_host() const {
    OwnedDescriptor connection(socket(AF_UNIX, kSocketFlags, 0));
    if (!connection) return descriptor_failure("a visit to process 0", errno);
    const UnixAddress address = abstract_address(socket_name_);
    if (::connect(connection.get(), address.get(), address.length) != 0) {
        return remote_error("{}", errno_text("connect", errno));
    }
    if (!admits(connection.get())) return remote_error("another user listens there");
    return connection;
}

Result<OwnedDescriptor> MeetingPlace::connect(Deadline deadline) const {
    if (!socket_name_.empty()) return connect_on_host();
    XCCL_ASSIGN(const Addresses addresses, resolve(host_.c_str(), port_, 0));
    Status failure = remote_error("no address");
    for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
        auto connection = connect_to(*one, deadline.earlier(Deadline::after_ms(kConnectMs)));
        if (connection.ok()) return connection;
        failure = connection.status();
    }
    return failure;
}

bool MeetingPlace::admits(int socket) const {
    return socket_name_.empty() || has_my_user_id(socket);
}

}  // namespace xccl
