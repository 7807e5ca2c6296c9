// join(): how one rank comes to the rendezvous, and what it sees of it.
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "bootstrap/bootstrap.h"
#include "bootstrap/frames.h"
#include "bootstrap/messages.h"
#include "bootstrap/root.h"
#include "bootstrap/unique_id.h"
#include "trust/dial.h"
#include "trust/wait.h"

namespace xccl {
namespace {

// How much longer than its own deadline a rank waits for the root to name who is missing.
constexpr int kGraceMs = 1000;

std::uint32_t patience_of(Deadline deadline) {
    constexpr std::int64_t kMostMs = 0x7fffffff;
    return static_cast<std::uint32_t>(
        std::min<std::int64_t>(deadline.remaining().count(), kMostMs));
}

// ---- Ids that this process has used -------------------------------------------------------------

// Bounded: the newest kRemembered. Older ones are refused by the network, in other words.
class UsedIds {
  public:
    static UsedIds& instance() {
        static auto* const used = new UsedIds;
        return *used;
    }
    void note(const xcclUniqueId& id, int rank) {
        const std::lock_guard lock(mutex_);
        if (uses_.size() == kRemembered) uses_.pop_front();
        uses_.push_back({tail(id), rank});
    }
    // `rank` < 0: by any.
    bool contains(const xcclUniqueId& id, int rank) {
        const std::lock_guard lock(mutex_);
        return std::any_of(uses_.begin(), uses_.end(), [&](const Use& use) {
            return use.id == tail(id) && (rank < 0 || use.rank == rank);
        });
    }

  private:
    static constexpr std::size_t kRemembered = 1024;
    struct Use {
        std::uint64_t id;
        int rank;
    };
    static std::uint64_t tail(const xcclUniqueId& id) {  // the checksum
        std::uint64_t sum = 0;
        std::memcpy(&sum, id.internal + sizeof id.internal - sizeof sum, sizeof sum);
        return sum;
    }
    std::mutex mutex_;
    std::deque<Use> uses_;
};

Status used_before() {
    return invalid_usage("the unique id was used before; make a new one for each communicator");
}

// ---- The exchanges --------------------------------------------------------------------------

class LoneExchange : public Exchange {
  public:
    int rank() const override { return 0; }
    int rank_count() const override { return 1; }
    Result<std::vector<std::string>> all_gather(const std::string& mine, Deadline) override {
        return std::vector<std::string>{mine};
    }
    const std::array<std::uint8_t, 32>& secret() const override { return secret_; }

  private:
    const Secret secret_ = make_secret();
};

class RootedExchange : public Exchange {
  public:
    RootedExchange(OwnedDescriptor socket, const Introduction& introduction, const Secret& secret,
                   const std::atomic<bool>* abort)
        : stream_(std::move(socket), kMaxFrameBytes),
          introduction_(introduction),
          secret_(secret),
          abort_(abort) {}
    RootedExchange(const RootedExchange&) = delete;
    RootedExchange& operator=(const RootedExchange&) = delete;
    RootedExchange(RootedExchange&&) = delete;
    RootedExchange& operator=(RootedExchange&&) = delete;
    ~RootedExchange() override;

    Status enter(Deadline deadline);
    int rank() const override { return introduction_.first_rank; }
    int rank_count() const override { return introduction_.rank_count; }
    Result<std::vector<std::string>> all_gather(const std::string& mine,
                                                Deadline deadline) override;
    Status look() override;
    bool give_up(const Status& why) override {
        if (failure_.ok()) failure_ = why;  // told by the farewell
        return true;
    }
    const std::array<std::uint8_t, 32>& secret() const override { return secret_; }

  private:
    Result<std::optional<Frame>> try_receive(MeetingFrame wanted);
    Result<Frame> receive(MeetingFrame wanted, Deadline deadline);
    Result<std::vector<std::string>> exchange(const std::string& mine, Deadline deadline);

    FrameStream stream_;
    const Introduction introduction_;
    const Secret secret_;
    const std::atomic<bool>* const abort_;
    Server server_;
    Status failure_;  // the first; final
};

Status RootedExchange::enter(Deadline deadline) {
    failure_ = receive(kWelcome, deadline).status();
    return failure_;
}

// What has come; none yet.
Result<std::optional<Frame>> RootedExchange::try_receive(MeetingFrame wanted) {
    // A failure to send shows again, and better, when the connection is read.
    (void)stream_.flush().ok();
    for (;;) {
        XCCL_ASSIGN(std::optional<Frame> frame, stream_.receive());
        if (frame && frame->kind == kFailed) return decode_status(frame->body);
        if (frame && frame->kind == kWelcome) {
            server_ = decode_server(frame->body).value_or(Server{});
            if (wanted != kWelcome) continue;
        }
        if ((frame && frame->kind != wanted) || (!frame && stream_.ended())) {
            return remote_error("{} died or lost its connection", server_text(server_));
        }
        return frame;
    }
}

Result<Frame> RootedExchange::receive(MeetingFrame wanted, Deadline deadline) {
    for (;;) {
        XCCL_ASSIGN(std::optional<Frame> frame, try_receive(wanted));
        if (frame) return std::move(*frame);
        const short events = stream_.has_output() ? POLLIN | POLLOUT : POLLIN;
        const Status waited = wait_for(stream_.fd(), events, deadline, abort_);
        if (waited.code() == xcclTimeout) {
            return timeout_error("{} did not answer in time; see whether it is stuck",
                                 server_text(server_));
        }
        XCCL_TRY(waited);
    }
}

Result<std::vector<std::string>> RootedExchange::all_gather(const std::string& mine,
                                                            Deadline deadline) {
    XCCL_TRY(failure_);
    auto gathered = exchange(mine, deadline);
    failure_ = gathered.status();
    return gathered;
}

Status RootedExchange::look() {
    if (failure_.ok()) failure_ = try_receive(kFailed).status();  // nothing else is due
    return failure_;
}

Result<std::vector<std::string>> RootedExchange::exchange(const std::string& mine,
                                                          Deadline deadline) {
    if (mine.size() > kMaxGatherBytes) {
        return internal_error("{} bytes to exchange; at most {} are allowed", mine.size(),
                              kMaxGatherBytes);
    }
    const std::string part = ByteWriter().counted(mine).take();
    stream_.send(kGather, encode(Gather{patience_of(deadline), part}));
    const Deadline end = Deadline::at(deadline.time() + std::chrono::milliseconds(kGraceMs));
    XCCL_ASSIGN(const Frame frame, receive(kGathered, end));
    auto parts = decode_table(frame.body, rank_count());
    if (!parts || (*parts)[static_cast<std::size_t>(rank())] != mine) {
        return remote_error("{} talks nonsense; use the same version of xccl on all ranks",
                            server_text(server_));
    }
    return std::move(*parts);
}

// Those who still need this rank learn from its farewell why it cannot go on.
RootedExchange::~RootedExchange() {
    if (stream_.ended()) return;
    Status reason = failure_;
    if (!reason.ok() && reason.code() != xcclRemoteError && reason.code() != xcclTimeout) {
        reason =
            remote_error("{} gave up: {}", rank_text(rank(), introduction_.process), reason.text());
    }
    stream_.send(kLeave, encode(reason));
    (void)stream_.flush().ok();
}

// ---- Joining --------------------------------------------------------------------------------

Status check_numbers(std::size_t id_count, int rank, int rank_count) {
    if (rank_count < 1 || rank_count > kMaxRanks) {
        return invalid_argument("a communicator of {} ranks; there must be 1 to {}", rank_count,
                                kMaxRanks);
    }
    if (rank < 0 || rank >= rank_count) {
        return invalid_argument("rank {} is outside [0, {})", rank, rank_count);
    }
    if (id_count < 1 || id_count > static_cast<std::size_t>(kMaxRanks)) {
        return invalid_argument("{} unique ids; there must be 1 to {}", id_count, kMaxRanks);
    }
    return ok_status();
}

Introduction introduce(std::span<const xcclUniqueId> ids, int rank, int rank_count,
                       Deadline deadline) {
    Introduction introduction;
    introduction.first_rank = rank;
    introduction.rank_count = rank_count;
    introduction.root_count = static_cast<int>(ids.size());
    introduction.root_index =
        static_cast<int>(std::int64_t{rank} * introduction.root_count / rank_count);
    introduction.process = this_process();
    introduction.patience_ms = patience_of(deadline);
    if (introduction.root_index > 0) {
        introduction.first_id.assign(ids[0].internal, sizeof ids[0].internal);
    }
    return introduction;
}

// Where there are more ids than ranks, some rendezvous have no rank.
void end_idle_roots(std::span<const xcclUniqueId> ids, int rank_count) {
    const int root_count = static_cast<int>(ids.size());
    for (int index = 0; index < root_count; ++index) {
        if (ranks_of_root(index, root_count, rank_count).count > 0) continue;
        end_root(ids[static_cast<std::size_t>(index)]);
    }
}

// Whoever has one id of several does not know the communicator's secret.
Secret secret_of(std::span<const xcclUniqueId> ids, const Secret& first) {
    const std::string_view all(ids[0].internal, ids.size() * sizeof(xcclUniqueId));
    return derive(first, "communicator", all);
}

}  // namespace

Result<std::unique_ptr<Exchange>> join(std::span<const xcclUniqueId> ids, int rank, int rank_count,
                                       Deadline deadline, const std::atomic<bool>* abort) {
    XCCL_TRY(check_numbers(ids.size(), rank, rank_count));
    XCCL_ASSIGN(const Rendezvous first, unpack_id(ids[0]));
    for (const xcclUniqueId& id : ids) XCCL_TRY(unpack_id(id));
    end_idle_roots(ids, rank_count);
    if (rank_count == 1) {
        end_root(ids[0]);
        return std::unique_ptr<Exchange>(std::make_unique<LoneExchange>());
    }
    const Introduction mine = introduce(ids, rank, rank_count, deadline);
    const xcclUniqueId& id = ids[static_cast<std::size_t>(mine.root_index)];
    if (UsedIds::instance().contains(id, rank)) return used_before();
    XCCL_ASSIGN(const Rendezvous rendezvous, unpack_id(id));
    Result<Connection> connection = dial({.addresses = rendezvous.addresses,
                                          .secret = rendezvous.secret,
                                          .purpose = Purpose::kRendezvous,
                                          .hello = encode(mine),
                                          .may_come_later = rendezvous.agreed_port},
                                         deadline, abort);
    if (!connection.ok()) {
        const Status& status = connection.status();
        if (status.code() != xcclRemoteError) return status;
        if (UsedIds::instance().contains(id, -1)) return used_before();
        return remote_error(
            "cannot join: {}; the process that made the unique id has ended, or the id was used "
            "before",
            status.text());
    }
    auto exchange = std::make_unique<RootedExchange>(std::move(connection->socket), mine,
                                                     secret_of(ids, first.secret), abort);
    XCCL_TRY(exchange->enter(deadline));
    UsedIds::instance().note(id, rank);
    return std::unique_ptr<Exchange>(std::move(exchange));
}

}  // namespace xccl
