#include "transport/tcp_peer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "transport/geometry.h"

namespace xccl {
namespace {

static_assert(kMaxLanes <= 32, "lanes are bits of a word");

// From here on a message is large: worth spreading over the streams, and its slot worth having back
// soon.
constexpr std::uint32_t kLargeBytes = 8 * 1024;

// Where the payload of a message of this rank lies: in its slot, or in a buffer of the caller's.
const std::byte* payload_of(const SlotHeader* slot) {
    const auto* const payload = reinterpret_cast<const std::byte*>(slot + 1);
    if (static_cast<MessageKind>(slot->kind) != MessageKind::kReference) return payload;
    const std::byte* address = nullptr;
    static_assert(sizeof address == sizeof(std::uint64_t));
    std::memcpy(&address, payload, sizeof address);
    return address;
}

std::uint32_t slot_index(std::uint32_t sequence, const MailboxView& mailbox) {
    return (sequence - 1) & (mailbox.slot_count - 1);
}

}  // namespace

// ---- Making ---------------------------------------------------------------------------------

void TcpPeer::Unmap::operator()(std::byte* memory) const {
    munmap(memory, bytes);
}

Result<std::unique_ptr<TcpPeer>> TcpPeer::make(int rank, TcpShared* shared) {
    const std::size_t block_bytes = mailbox_bytes(shared->geometry);
    void* const memory = mmap(nullptr, 2 * block_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return system_error("no memory for the mailboxes between this rank and rank {}: {}", rank,
                            errno_text("mmap", errno));
    }
    std::unique_ptr<TcpPeer> peer(new TcpPeer(rank, shared));
    auto* const outbound = static_cast<std::byte*>(memory);
    peer->memory_ = {outbound, Unmap{2 * block_bytes}};
    for (int lane = 0; lane < shared->geometry.lane_count(); ++lane) {
        const MailboxView out = mailbox_in(outbound, shared->geometry, lane);
        const MailboxView in = mailbox_in(outbound + block_bytes, shared->geometry, lane);
        peer->out_.push_back({.mailbox = out, .written = std::vector<bool>(out.slot_count)});
        peer->in_.push_back({.mailbox = in,
                             .coming = std::vector<bool>(in.slot_count),
                             .posted = {},
                             .placed = std::vector<std::byte*>(in.slot_count)});
    }
    peer->streams_.resize(static_cast<std::size_t>(shared->stream_count));
    return peer;
}

std::unique_ptr<Link> TcpPeer::make_link(Carrier* carrier) const {
    auto link = std::make_unique<Link>();
    link->peer = rank_;
    link->carrier = carrier;
    link->by_address = true;
    for (const OutLane& lane : out_) link->senders.emplace_back(lane.mailbox);
    for (const InLane& lane : in_) link->receivers.emplace_back(lane.mailbox);
    return link;
}

bool TcpPeer::add_stream(int index, OwnedDescriptor socket) {
    auto& place = streams_[static_cast<std::size_t>(index)];
    if (place) return false;
    place = std::make_unique<TcpStream>(std::move(socket));
    return true;
}

int TcpPeer::formed_count() const {
    return static_cast<int>(std::count_if(streams_.begin(), streams_.end(),
                                          [](const auto& s) { return s != nullptr; }));
}

// ---- Out ------------------------------------------------------------------------------------

bool TcpPeer::OutLane::is_published(std::uint32_t sequence) const {
    const auto flag = mailbox.header(sequence)->flag.load(std::memory_order_acquire);
    return static_cast<std::uint32_t>(flag >> 32) == sequence;
}

bool TcpPeer::InLane::has_next() const {
    const std::uint32_t sequence = consumed() + 1;
    const auto flag = mailbox.header(sequence)->flag.load(std::memory_order_relaxed);
    return static_cast<std::uint32_t>(flag >> 32) == sequence ||
           coming[slot_index(sequence, mailbox)];
}

// A frame of its own takes as long to send as a message: not while the caller waits for what this
// rank has just read. Of small messages it is spared as long as can be, since the next message to
// that peer may take the credit along; but who is behind does not wait, and would let the sender
// stop. Of large ones it comes in time for the sender to go on.
bool TcpPeer::mark_released(int lane) {
    const InLane& in = in_[static_cast<std::size_t>(lane)];
    const std::uint32_t slots = in.mailbox.slot_count;
    const std::uint32_t owed = in.consumed() - in.returned;
    const bool at_once = in.takes_large ? owed + 1 >= slots
                                        : owed >= slots || (4 * owed >= 3 * slots && in.has_next());
    if (!at_once && owed < (in.takes_large ? slots / 2 : slots - 1)) return false;
    credit_due_ |= 1u << lane;
    shared_->credit_waits = true;
    return at_once;
}

void TcpPeer::say_leaving() {
    leaving_due_ = (1u << shared_->stream_count) - 1;
}

FrameHeader TcpPeer::header_of(FrameKind kind, int lane) {
    InLane& in = in_[static_cast<std::size_t>(lane)];
    in.returned = in.consumed();
    credit_due_ &= ~(1u << lane);
    FrameHeader header;
    header.kind = kind;
    header.lane = static_cast<std::uint8_t>(lane);
    header.consumed = in.returned;
    return header;
}

// Large lanes share out the streams, so that messages of several take several, and the reader of
// one finds the next where the last one was; one that has more than one stream to itself takes
// turns.
std::uint32_t TcpPeer::preferred_stream(int lane) const {
    const LaneGeometry& geometry = shared_->geometry;
    const OutLane& out = out_[static_cast<std::size_t>(lane)];
    if (out.mailbox.header(out.next)->byte_count < kLargeBytes) return 0;
    if (geometry.is_flagged(lane) || lane == geometry.point_to_point_lane()) return out.next;
    const auto lanes = static_cast<std::uint32_t>(geometry.slotted_lanes);
    const auto streams = static_cast<std::uint32_t>(shared_->stream_count);
    const auto number = static_cast<std::uint32_t>(lane - geometry.flagged_lanes);
    return number + lanes * (out.next % std::max(streams / lanes, 1u));
}

// The stream with the least to write; `preferred` among equals. Null if all are full.
TcpStream* TcpPeer::choose_stream(std::uint32_t preferred) {
    TcpStream* best = nullptr;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        TcpStream* const stream = streams_[(preferred + i) % streams_.size()].get();
        if (stream == nullptr || stream->closed() || !stream->can_take()) continue;
        if (best == nullptr || stream->queued_bytes() < best->queued_bytes()) best = stream;
    }
    return best;
}

// Operations that sent this peer nothing on this stream: it hears of them as far as there is room,
// so that it can say where two ranks parted.
void TcpPeer::push_missed_operations(TcpStream& stream) {
    const std::uint64_t now = shared_->operation_changes;
    const std::uint64_t told = stream.operations_told();
    if (now <= told + 1) return;
    const std::uint64_t room = std::min<std::uint64_t>(stream.room(), TcpShared::kRecentOperations);
    std::uint64_t change = std::max(told + 1, now - std::min(now - 1, room - 1));
    for (; change < now; ++change) {
        stream.push({.kind = FrameKind::kOperation}, nullptr, &shared_->operation(change));
    }
}

void TcpPeer::push_message(TcpStream& stream, int lane) {
    OutLane& out = out_[static_cast<std::size_t>(lane)];
    const SlotHeader* const slot = out.mailbox.header(out.next);
    FrameHeader header = header_of(FrameKind::kMessage, lane);
    header.sequence = out.next;
    header.signature = static_cast<std::uint32_t>(slot->flag.load(std::memory_order_relaxed));
    header.byte_count = slot->byte_count;
    push_missed_operations(stream);
    const std::uint64_t now = shared_->operation_changes;
    stream.push(header, payload_of(slot),
                stream.operations_told() != now ? &shared_->operation(now) : nullptr);
    stream.set_operations_told(now);
    ++out.next;
}

void TcpPeer::queue_messages() {
    for (std::uint32_t left = dirty_lanes_; left != 0; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        OutLane& out = out_[static_cast<std::size_t>(lane)];
        while (out.ready()) {
            TcpStream* const stream = choose_stream(preferred_stream(lane));
            if (stream == nullptr) return;
            push_message(*stream, lane);
        }
        dirty_lanes_ &= ~(1u << lane);
    }
}

void TcpPeer::queue_control() {
    for (std::uint32_t left = credit_due_; left != 0; left &= left - 1) {
        TcpStream* const stream = choose_stream(0);
        if (stream == nullptr) return;
        stream->push(header_of(FrameKind::kCredit, __builtin_ctz(left)), nullptr, nullptr);
    }
    if (tell_due_) {
        if (TcpStream* const stream = choose_stream(0)) {
            stream->push({.kind = FrameKind::kOperation}, nullptr,
                         &shared_->operation(shared_->operation_changes));
            tell_due_ = false;
        }
    }
}

Result<bool> TcpPeer::pump() {
    bool any = false;
    for (bool again = true; again;) {
        queue_messages();
        queue_control();
        again = false;
        for (std::size_t i = 0; i < streams_.size(); ++i) {
            TcpStream* const stream = streams_[i].get();
            if (stream == nullptr || stream->closed()) continue;
            // Nothing follows a leave, so it waits until this stream has no more to carry.
            if ((leaving_due_ >> i & 1) && flushed() && stream->can_take()) {
                stream->push({.kind = FrameKind::kLeaving}, nullptr, nullptr);
                leaving_due_ &= ~(1u << i);
            }
            if (stream->idle()) continue;
            XCCL_ASSIGN(const bool wrote, stream->write());
            any |= wrote;
            again |= wrote && !stream->blocked();  // there may be room for more
            while (const auto sent = stream->pop_sent()) note_sent(*sent);
        }
    }
    return any;
}

// Slots go back to the executor in order, though streams finish in any.
void TcpPeer::note_sent(const FrameHeader& header) {
    if (header.kind != FrameKind::kMessage) return;
    shared_->payload_bytes_sent += header.byte_count;
    OutLane& out = out_[header.lane];
    out.written[slot_index(header.sequence, out.mailbox)] = true;
    const std::uint32_t before = out.released;
    while (out.released + 1 != out.next && out.written[slot_index(out.released + 1, out.mailbox)]) {
        out.written[slot_index(++out.released, out.mailbox)] = false;
    }
    if (out.released != before) {
        out.mailbox.consumed->store(out.released, std::memory_order_release);
    }
}

void TcpPeer::keep_payloads() {
    keep_sent();
    keep_placed();
}

void TcpPeer::keep_sent() {
    for (OutLane& out : out_) {
        const MailboxView& mailbox = out.mailbox;
        for (std::uint32_t sequence = out.released + 1; out.is_published(sequence); ++sequence) {
            SlotHeader* const slot = mailbox.header(sequence);
            const std::byte* const payload = payload_of(slot);
            auto* const place = reinterpret_cast<std::byte*>(slot + 1);
            if (payload == place) continue;
            std::memcpy(place, payload, slot->byte_count);
            slot->kind = static_cast<std::uint16_t>(MessageKind::kPayload);
        }
    }
    for (const auto& stream : streams_) {
        if (stream == nullptr) continue;
        stream->move_payloads([this](const FrameHeader& header) {
            const MailboxView& mailbox = out_[header.lane].mailbox;
            return reinterpret_cast<const std::byte*>(mailbox.header(header.sequence) + 1);
        });
    }
}

bool TcpPeer::flushed(int lane) const {
    const OutLane& out = out_[static_cast<std::size_t>(lane)];
    return out.released + 1 == out.next && !out.has_message();
}

bool TcpPeer::flushed() const {
    for (int lane = 0; lane < static_cast<int>(out_.size()); ++lane) {
        if (!flushed(lane)) return false;
    }
    return true;
}

// ---- In -------------------------------------------------------------------------------------

Result<bool> TcpPeer::read(int stream_index) {
    auto any = stream(stream_index)->read(*this);
    if (any.ok() && *any) last_stream_ = stream_index;
    return any;
}

// Credit may come late, since streams overtake each other; it may not come for what was never sent.
Status TcpPeer::take_credit(const FrameHeader& header) {
    OutLane& out = out_[header.lane];
    const std::uint32_t gained = header.consumed - out.credited;
    if (gained > UINT32_MAX / 2) return ok_status();  // an older count
    if (gained > out.next - 1 - out.credited) {
        return remote_error("credit for {} messages that were never sent",
                            gained - (out.next - 1 - out.credited));
    }
    out.credited = header.consumed;
    if (gained > 0) dirty_lanes_ |= 1u << header.lane;
    return ok_status();
}

Result<std::byte*> TcpPeer::accept(const FrameHeader& header) {
    const bool message = header.kind == FrameKind::kMessage;
    const bool credit = header.kind == FrameKind::kCredit;
    const bool known = message || credit || header.kind == FrameKind::kOperation ||
                       header.kind == FrameKind::kLeaving;
    if (header.magic != FrameHeader::kMagic || !known || header.lane >= in_.size() ||
        header.has_operation > 1 || (!message && header.byte_count > 0)) {
        return remote_error("a frame that makes no sense (magic {:x}, kind {}, lane {}, {} bytes)",
                            header.magic, static_cast<int>(header.kind), header.lane,
                            header.byte_count);
    }
    if (message || credit) XCCL_TRY(take_credit(header));
    if (!message) return static_cast<std::byte*>(nullptr);

    InLane& in = in_[header.lane];
    const std::uint32_t ahead = header.sequence - in.consumed();  // 1: the next to be read
    const std::uint32_t slot = slot_index(header.sequence, in.mailbox);
    const auto there = in.mailbox.header(header.sequence)->flag.load(std::memory_order_relaxed);
    if (header.byte_count > in.mailbox.payload_bytes() || ahead == 0 ||
        ahead > in.mailbox.slot_count || in.coming[slot] ||
        static_cast<std::uint32_t>(there >> 32) == header.sequence) {
        return remote_error(
            "message {} of lane {} with {} bytes, for which there is no slot (read so far: {})",
            header.sequence, header.lane, header.byte_count, in.consumed());
    }
    in.coming[slot] = true;
    in.placed[slot] = in.take_posted(header);
    if (in.placed[slot] != nullptr) return in.placed[slot];
    return reinterpret_cast<std::byte*>(in.mailbox.header(header.sequence) + 1);
}

// Where the payload of that message is to lie, if not in its slot. One that is of another call than
// this rank's is written to no buffer.
std::byte* TcpPeer::InLane::take_posted(const FrameHeader& header) {
    if (posted.address == nullptr || posted.sequence != header.sequence) return nullptr;
    std::byte* const address = std::exchange(posted.address, nullptr);
    const bool wanted =
        posted.signature == header.signature && posted.byte_count == header.byte_count;
    return wanted ? address : nullptr;
}

void TcpPeer::post(int lane, const PostedReceive& posted) {
    InLane& in = in_[static_cast<std::size_t>(lane)];
    if (!in.coming[slot_index(posted.sequence, in.mailbox)]) in.posted = posted;
}

// A stream that lags behind tells of what others told long ago: no newer one is lost for that.
void TcpPeer::hear(const OperationDescriptor& operation) {
    if (operation.sequence + OperationBoard::kEntryCount <= newest_heard_) return;
    newest_heard_ = std::max(newest_heard_, operation.sequence);
    heard_.publish(operation);
}

void TcpPeer::complete(const FrameHeader& header, const OperationDescriptor* operation) {
    if (operation != nullptr) hear(*operation);
    if (header.kind == FrameKind::kLeaving) has_left_ = true;
    if (header.kind != FrameKind::kMessage) return;
    if (shared_->delay.count() == 0) return show(header);
    shared_->delayed.push_back({Clock::now() + shared_->delay, this, header});
}

void TcpPeer::show(const FrameHeader& header) {
    InLane& in = in_[header.lane];
    const std::uint32_t slot = slot_index(header.sequence, in.mailbox);
    in.coming[slot] = false;
    in.takes_large = header.byte_count >= kLargeBytes;
    const std::byte* const placed = in.placed[slot];
    if (placed != nullptr) {
        auto* const place = reinterpret_cast<std::byte*>(in.mailbox.header(header.sequence) + 1);
        std::memcpy(place, &placed, sizeof placed);
    }
    in.mailbox.publish(header.sequence, header.byte_count, header.signature,
                       placed != nullptr ? MessageKind::kPlaced : MessageKind::kPayload);
}

// What has come of messages that were to be placed, and what is still to come of them, lies in
// their slots from now on. Those that are visible are not read any more: their operation has
// failed.
void TcpPeer::keep_placed() {
    for (InLane& in : in_) in.posted = {};
    for (const auto& stream : streams_) {
        if (stream == nullptr) continue;
        stream->move_destination([this](const FrameHeader& header) {
            InLane& in = in_[header.lane];
            in.placed[slot_index(header.sequence, in.mailbox)] = nullptr;
            return reinterpret_cast<std::byte*>(in.mailbox.header(header.sequence) + 1);
        });
    }
}

}  // namespace xccl
