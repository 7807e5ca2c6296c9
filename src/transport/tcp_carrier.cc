#include "transport/tcp_carrier.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/limits.h"
#include "base/owned_descriptor.h"
#include "transport/geometry.h"

namespace xccl {
namespace {

// What the poller's words mean: a stream's rank and index, or one of these.
constexpr std::uint64_t kGateTag = UINT64_MAX;
constexpr std::uint64_t kTimerTag = UINT64_MAX - 1;
constexpr std::uint64_t kStreamBits = 8;
constexpr int kMaxStreams = 16;
constexpr int kLooksPerPoll = 4;  // while one peer is waited for
static_assert(kMaxStreams <= 1 << kStreamBits);

std::uint64_t stream_tag(int peer, int index) {
    return static_cast<std::uint64_t>(peer) << kStreamBits | static_cast<std::uint64_t>(index);
}

}  // namespace

// ---- Making ---------------------------------------------------------------------------------

TcpCarrier::TcpCarrier(TcpOptions options, Poller poller,
                       std::vector<std::vector<std::string>> endpoints)
    : options_(std::move(options)), poller_(std::move(poller)), endpoints_(std::move(endpoints)) {
    shared_.geometry = options_.geometry;
    shared_.stream_count = options_.stream_count;
    shared_.delay = std::chrono::milliseconds(options_.delay_ms);
    peers_.resize(static_cast<std::size_t>(options_.rank_count));
    wants_write_.resize(peers_.size());
}

Result<std::unique_ptr<TcpCarrier>> TcpCarrier::make(
    TcpOptions options, std::unique_ptr<TcpListener> listener,
    std::vector<std::vector<std::string>> endpoints) {
    if (options.stream_count < 1 || options.stream_count > kMaxStreams) {
        return invalid_argument("{} TCP streams per pair: must be between 1 and {}",
                                options.stream_count, kMaxStreams);
    }
    XCCL_TRY(check_geometry(options.geometry));
    if (!options.name_of) options.name_of = [](int rank) { return fmt::format("rank {}", rank); };
    endpoints.resize(static_cast<std::size_t>(options.rank_count));
    XCCL_ASSIGN(Poller poller, Poller::open());
    std::unique_ptr<TcpCarrier> carrier(
        new TcpCarrier(std::move(options), std::move(poller), std::move(endpoints)));
    const TcpOptions& chosen = carrier->options_;
    const TcpHelloTerms terms{.rank = chosen.rank,
                              .rank_count = chosen.rank_count,
                              .stream_count = chosen.stream_count,
                              .geometry_hash = hash_of(chosen.geometry),
                              .secret = chosen.secret};
    const TcpGate::Options gate{
        .connect_timeout = std::chrono::milliseconds(chosen.connect_timeout_ms),
        .send_buffer_bytes = chosen.send_buffer_bytes};
    carrier->gate_ =
        std::make_unique<TcpGate>(terms, std::move(listener), gate, &carrier->poller_, kGateTag);
    XCCL_TRY(carrier->gate_->watch());
    if (chosen.delay_ms > 0) {
        carrier->timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
        if (!carrier->timer_) return descriptor_failure("delayed messages", errno);
        XCCL_TRY(carrier->poller_.add(carrier->timer_.get(), EPOLLIN, kTimerTag));
    }
    return carrier;
}

Result<TcpPeer*> TcpCarrier::peer_or_new(int rank) {
    auto& place = peers_[static_cast<std::size_t>(rank)];
    if (!place) {
        XCCL_ASSIGN(place, TcpPeer::make(rank, &shared_));
        known_.push_back(place.get());
        wants_write_[static_cast<std::size_t>(rank)].resize(
            static_cast<std::size_t>(options_.stream_count));
    }
    return place.get();
}

Result<std::unique_ptr<Link>> TcpCarrier::connect(int rank) {
    if (rank < 0 || rank >= options_.rank_count || rank == options_.rank) {
        return internal_error("rank {} cannot be reached over TCP from rank {}", rank,
                              options_.rank);
    }
    if (!failure_.ok()) return failure_;
    XCCL_ASSIGN(TcpPeer* const peer, peer_or_new(rank));
    if (rank > options_.rank) {
        XCCL_TRY(gate_->call(rank, endpoints_[static_cast<std::size_t>(rank)]));
    }
    return peer->make_link(this);
}

// ---- The executor's side --------------------------------------------------------------------

void TcpCarrier::published(int rank, int lane) {
    TcpPeer& to = *peer(rank);
    to.mark_published(lane);
    if (to.has_left()) {
        fail(remote_error("{} has left the communicator, and cannot be sent to",
                          options_.name_of(rank)));
    }
    if (failure_.ok()) pump(to);
}

void TcpCarrier::released(int rank, int lane) {
    TcpPeer& to = *peer(rank);
    if (to.mark_released(lane) && failure_.ok()) pump(to);
}

bool TcpCarrier::flushed() const {
    return std::all_of(known_.begin(), known_.end(), [](const TcpPeer* p) { return p->flushed(); });
}

bool TcpCarrier::flushed(int rank, int lane) const {
    return peer(rank)->flushed(lane);
}

void TcpCarrier::post(int rank, int lane, const PostedReceive& posted) {
    peer(rank)->post(lane, posted);
}

void TcpCarrier::keep_payloads() {
    for (TcpPeer* const to : known_) to->keep_payloads();
}

void TcpCarrier::announce(const OperationDescriptor& operation) {
    shared_.recent[++shared_.operation_changes & (TcpShared::kRecentOperations - 1)] = operation;
}

void TcpCarrier::tell(int rank) {
    if (TcpPeer* const to = peer(rank)) {
        to->tell();
        if (failure_.ok()) pump(*to);
    }
}

std::optional<OperationDescriptor> TcpCarrier::heard(int rank) const {
    const TcpPeer* const from = peer(rank);
    return from ? from->heard().latest() : std::nullopt;
}

std::optional<OperationDescriptor> TcpCarrier::heard_at(int rank, std::uint64_t sequence) const {
    const TcpPeer* const from = peer(rank);
    return from ? from->heard().at(sequence) : std::nullopt;
}

// What it sent before it left and what is in the delay line comes first.
bool TcpCarrier::has_left(int rank) const {
    const TcpPeer* const from = peer(rank);
    if (from == nullptr || !from->has_left()) return false;
    return std::none_of(shared_.delayed.begin(), shared_.delayed.end(),
                        [from](const DelayedMessage& message) { return message.peer == from; });
}

// ---- The network's side ---------------------------------------------------------------------

Result<bool> TcpCarrier::progress() {
    if (!failure_.ok()) return failure_;
    bool moved = false;
    if (may_look_at_one()) {
        moved = look_at(expected_);
    } else {
        moved = look_at_all();
    }
    if (!failure_.ok()) return failure_;
    if (!moved && shared_.credit_waits) return_credit();
    if (!failure_.ok()) return failure_;
    return moved;
}

bool TcpCarrier::is_settled() const {
    const auto is_complete = [&](const TcpPeer* to) {
        return to->formed_count() == shared_.stream_count;
    };
    return !gate_->busy() && blocked_streams_ == 0 && shared_.delayed.empty() &&
           std::ranges::all_of(known_, is_complete);
}

void TcpCarrier::return_credit() {
    shared_.credit_waits = false;
    for (TcpPeer* const to : known_) {
        if (to->owes_credit()) pump(*to);
    }
}

// Whoever waits for one peer reads from its socket: one system call, where asking the poller and
// reading are two. All others are seen in one of so many looks.
bool TcpCarrier::may_look_at_one() {
    if (expected_ < 0 || gate_->busy() || blocked_streams_ > 0 || !shared_.delayed.empty() ||
        is_forming(expected_) || ++looks_at_one_ == kLooksPerPoll) {
        looks_at_one_ = 0;
        return false;
    }
    return true;
}

// Is one of its connections still to come? Then whatever is wrong with that is seen at once.
bool TcpCarrier::is_forming(int rank) const {
    const TcpPeer* const to = peer(rank);
    return to != nullptr && to->formed_count() < shared_.stream_count;
}

// Ranks of this host are none of this carrier's: there is nothing to look at. Small messages all
// take one stream; long ones that follow each other may take another each.
bool TcpCarrier::look_at(int rank) {
    TcpPeer* const from = peer(rank);
    if (from == nullptr) return false;
    const int first = from->last_stream();
    const int count = from->reads_long() ? options_.stream_count : 1;
    for (int i = 0; i < count; ++i) {
        if (!read_stream(*from, (first + i) % options_.stream_count)) continue;
        pump(*from);
        return true;
    }
    return false;
}

bool TcpCarrier::look_at_all() {
    bool moved = false;
    bool gate_event = gate_->busy();
    for (const epoll_event& event : poller_.look()) {
        if (event.data.u64 == kGateTag || event.data.u64 == kTimerTag) {
            gate_event |= event.data.u64 == kGateTag;
            continue;
        }
        TcpPeer& from = *peer(static_cast<int>(event.data.u64 >> kStreamBits));
        const int index = static_cast<int>(event.data.u64 & ((1u << kStreamBits) - 1));
        if (event.events & ~EPOLLOUT) moved |= read_stream(from, index);
        moved |= pump(from);
    }
    if (gate_event) fail(advance_gate());
    if (!shared_.delayed.empty()) moved |= show_delayed();
    return moved;
}

Status TcpCarrier::advance_gate() {
    std::vector<FormedStream> formed;
    std::vector<FailedCall> failed;
    XCCL_TRY(gate_->advance(&formed, &failed));
    for (FormedStream& stream : formed) {
        XCCL_ASSIGN(TcpPeer* const to, peer_or_new(stream.peer));
        const int socket = stream.socket.get();
        if (!to->add_stream(stream.index, std::move(stream.socket))) continue;  // a second of it
        XCCL_TRY(poller_.add(socket, EPOLLIN, stream_tag(stream.peer, stream.index)));
        pump(*to);
    }
    for (const FailedCall& call : failed) {
        return remote_error(
            "{} cannot be reached: {}; see whether it has ended, or a firewall "
            "closes its port",
            options_.name_of(call.peer), call.text);
    }
    return ok_status();
}

bool TcpCarrier::read_stream(TcpPeer& from, int index) {
    TcpStream* const stream = from.stream(index);
    if (stream == nullptr || stream->closed()) return false;
    const auto any = from.read(index);
    if (!any.ok() && !from.has_left()) {
        lose(from, any.status().text());
        return false;
    }
    if (!any.ok() || stream->ended()) {
        if (!from.has_left()) {
            lose(from, "the other side has closed it; the process has ended or was killed");
        }
        close_stream(from, index);
        return any.ok() && *any;
    }
    return *any;
}

bool TcpCarrier::pump(TcpPeer& to) {
    const auto any = to.pump();
    if (!any.ok()) {
        // It may have said that it leaves before it closed: then this is no loss.
        for (int i = 0; i < options_.stream_count; ++i) {
            while (!to.has_left() && read_stream(to, i)) continue;  // a payload at a time
        }
        if (!to.has_left()) lose(to, any.status().text());
        return false;
    }
    auto& wants = wants_write_[static_cast<std::size_t>(to.rank())];
    for (int i = 0; i < options_.stream_count; ++i) {
        TcpStream* const stream = to.stream(i);
        const bool want = stream != nullptr && !stream->closed() && stream->blocked();
        if (want == wants[static_cast<std::size_t>(i)]) continue;
        wants[static_cast<std::size_t>(i)] = want;
        blocked_streams_ += want ? 1 : -1;
        if (stream->closed()) continue;
        poller_.change(stream->socket(), want ? EPOLLIN | EPOLLOUT : EPOLLIN,
                       stream_tag(to.rank(), i));
    }
    return *any;
}

void TcpCarrier::lose(const TcpPeer& from, const std::string& why) {
    fail(remote_error("lost the connection to {}: {}", options_.name_of(from.rank()), why));
}

void TcpCarrier::close_stream(TcpPeer& from, int index) {
    poller_.remove(from.stream(index)->socket());
    from.stream(index)->close();
}

// ---- The delay line -------------------------------------------------------------------------

bool TcpCarrier::show_delayed() {
    const auto now = Clock::now();
    bool any = false;
    while (!shared_.delayed.empty() && shared_.delayed.front().due <= now) {
        const DelayedMessage& message = shared_.delayed.front();
        message.peer->show(message.header);
        shared_.delayed.pop_front();
        any = true;
    }
    set_timer();
    return any;
}

// Makes the poller readable when the next message is due.
void TcpCarrier::set_timer() {
    itimerspec when{};
    if (!shared_.delayed.empty()) {
        constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
        const auto due = shared_.delayed.front().due.time_since_epoch();
        const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(due).count();
        when.it_value.tv_sec = ns / kNanosecondsPerSecond;
        when.it_value.tv_nsec = ns % kNanosecondsPerSecond;
    }
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// ---- Leaving --------------------------------------------------------------------------------

std::size_t TcpCarrier::bytes_in_sockets() const {
    std::size_t total = 0;
    for (TcpPeer* const to : known_) {
        for (int i = 0; i < options_.stream_count; ++i) {
            TcpStream* const stream = to->stream(i);
            int bytes = 0;
            if (stream == nullptr || stream->closed()) continue;
            total += stream->queued_bytes();
            if (ioctl(stream->socket(), SIOCOUTQ, &bytes) == 0) {
                total += static_cast<std::size_t>(bytes);
            }
        }
    }
    return total;
}

// A socket that is closed with unread credit in it is reset, and what it still had to send is lost.
// So this waits until the other hosts have all of it.
void TcpCarrier::leave(Deadline deadline) {
    if (std::exchange(left_, true) || !failure_.ok()) return;
    for (TcpPeer* const to : known_) {
        if (to->has_left()) continue;
        to->say_leaving();
        pump(*to);
    }
    constexpr int kPauseMs = 1;
    while (failure_.ok() && (!flushed() || bytes_in_sockets() > 0) && !deadline.passed()) {
        const auto moved = progress();
        if (!moved.ok() || *moved) continue;
        pollfd wanted{poll_descriptor(), POLLIN, 0};
        poll(&wanted, 1, deadline.poll_timeout_ms(kPauseMs));
    }
}

}  // namespace xccl
