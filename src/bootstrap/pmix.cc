#include "bootstrap/pmix.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/config.h"
#include "bootstrap/pmix_library.h"
#include "observe/log.h"

namespace xccl {
namespace {

constexpr std::int64_t kQueryPatienceMs = 10000;  // for what the local server has at hand

// What a callback brings. Shared with the callback, which may come after the waiter has left.
class Pending {
  public:
    // To be passed through PMIx, and redeemed by exactly one callback.
    static void* ticket(const std::shared_ptr<Pending>& pending) {
        return new std::shared_ptr<Pending>(pending);
    }
    static void tear(void* ticket) { delete static_cast<std::shared_ptr<Pending>*>(ticket); }

    static void on_done(pmix::Code code, void* ticket) { complete(code, nullptr, ticket); }
    static void on_value(pmix::Code code, pmix::Value* value, void* ticket) {
        complete(code, value, ticket);
    }

    bool wait(Deadline deadline) {
        std::unique_lock lock(mutex_);
        return arrived_.wait_until(lock, deadline.time(), [this] { return done_; });
    }
    pmix::Code code = 0;
    std::string text;
    std::uint32_t number = 0;

  private:
    static void complete(pmix::Code code, const pmix::Value* value, void* ticket) {
        const auto pending = *static_cast<std::shared_ptr<Pending>*>(ticket);
        tear(ticket);
        const std::lock_guard lock(pending->mutex_);
        pending->code = code;
        if (code == 0 && value != nullptr) pending->take(*value);
        pending->done_ = true;
        pending->arrived_.notify_all();
    }
    void take(const pmix::Value& value) {
        if (value.type == pmix::kString && value.data.string != nullptr) text = value.data.string;
        if (value.type == pmix::kUint16) number = value.data.uint16;
        if (value.type == pmix::kUint32) number = value.data.uint32;
    }

    std::mutex mutex_;
    std::condition_variable arrived_;
    bool done_ = false;
};

class PmixConnection : public Pmix {
  public:
    PmixConnection(const pmix::Library& library, const pmix::Process& self)
        : library_(library), self_(self), owner_(getpid()) {}

    int rank() const override { return static_cast<int>(self_.rank); }

    Result<std::string> from_rank_0(const std::string& key, const std::string& value,
                                    Deadline deadline) override {
        if (self_.rank == 0) XCCL_TRY(leave(key, value));
        XCCL_TRY(meet(deadline));
        XCCL_ASSIGN(const auto found, ask(process(0), key.c_str(), deadline));
        return found->text;
    }

    std::optional<PmixStanding> standing() override {
        const auto number = [this](std::uint32_t rank, const char* key, std::uint32_t otherwise) {
            const auto found = ask(process(rank), key, Deadline::after_ms(kQueryPatienceMs));
            return static_cast<int>(found.ok() ? (*found)->number : otherwise);
        };
        PmixStanding standing;
        standing.size = number(pmix::kAnyRank, pmix::kJobSize, 0);
        if (standing.size < 1) return std::nullopt;
        standing.local_size = number(pmix::kAnyRank, pmix::kLocalSize, 0);
        standing.local_rank = number(self_.rank, pmix::kLocalRank, 0);
        return standing;
    }

    // A forked child must not end its parent's connection.
    void finalize() {
        if (getpid() == owner_) library_.finalize(nullptr, 0);
    }

  private:
    pmix::Process process(std::uint32_t rank) const {
        pmix::Process other = self_;
        other.rank = rank;
        return other;
    }

    Status leave(const std::string& key, const std::string& value) {
        std::string copy = value;
        pmix::Value left{};
        left.type = pmix::kString;
        left.data.string = copy.data();
        pmix::Code code = library_.put(pmix::kEverywhere, key.c_str(), &left);
        if (code == 0) code = library_.commit();
        if (code != 0) return refused("put", code);
        return ok_status();
    }

    // All processes of the job come here; afterwards what was left can be found by all.
    Status meet(Deadline deadline) {
        pmix::Info collect{};
        std::string_view(pmix::kCollectData).copy(collect.key, sizeof collect.key - 1);
        collect.value.type = pmix::kBool;
        collect.value.data.flag = true;
        const pmix::Process all = process(pmix::kAnyRank);
        const auto pending = std::make_shared<Pending>();
        void* const ticket = Pending::ticket(pending);
        const pmix::Code code = library_.fence(&all, 1, &collect, 1, Pending::on_done, ticket);
        if (code != 0) {
            Pending::tear(ticket);
            return code == pmix::kSucceededAtOnce ? ok_status() : refused("fence", code);
        }
        if (!pending->wait(deadline)) {
            return timeout_error("not all processes of the job came to PMIx's fence in time");
        }
        if (pending->code != 0) return refused("fence", pending->code);
        return ok_status();
    }

    Result<std::shared_ptr<Pending>> ask(const pmix::Process& whom, const char* key,
                                         Deadline deadline) {
        auto pending = std::make_shared<Pending>();
        void* const ticket = Pending::ticket(pending);
        const pmix::Code code = library_.get(&whom, key, nullptr, 0, Pending::on_value, ticket);
        if (code != 0) {
            Pending::tear(ticket);
            return refused("get", code);
        }
        if (!pending->wait(deadline)) {
            return timeout_error("PMIx did not answer in time when asked for {}", key);
        }
        if (pending->code != 0) return refused("get", pending->code);
        return pending;
    }

    Status refused(const char* what, pmix::Code code) {
        return system_error("the launcher's PMIx {} failed: {}", what, library_.error_text(code));
    }

    const pmix::Library library_;
    const pmix::Process self_;
    const pid_t owner_;
};

// Never deleted: what PMIx's thread and the end of the process need must outlive every destructor.
PmixConnection* the_connection = nullptr;

PmixConnection* connect() {
    if (!environment_variable("PMIX_NAMESPACE") || !environment_variable("PMIX_RANK")) {
        return nullptr;
    }
    const Result<pmix::Library> library = pmix::open_library();
    if (!library.ok()) {
        log(LogLevel::kInfo, -1, 0, "bootstrap", "{}", library.status().text());
        return nullptr;
    }
    pmix::Process self{};
    const pmix::Code code = library->init(&self, nullptr, 0);
    if (code != 0) {
        log(LogLevel::kInfo, -1, 0, "bootstrap", "the launcher's PMIx refused this process: {}",
            library->error_text(code));
        return nullptr;
    }
    the_connection = new PmixConnection(*library, self);
    std::atexit([] { the_connection->finalize(); });
    return the_connection;
}

}  // namespace

Pmix* Pmix::of_this_process() {
    static Pmix* const once = connect();
    return once;
}

}  // namespace xccl
