// What this rank shares with one peer over TCP: the mailboxes of both directions, credit, and the
// streams between them.
//
//     executor -> outbound mailbox -> stream  ~~~>  stream -> peer's inbound mailbox -> executor
//                                             <~~~  credit: how far the peer's executor has read
//
// A message is sent only if the peer is known to have a slot for it, and is read straight into that
// slot; so a receiver never needs memory beyond its mailbox, and two ends of a lane hold at most
// two mailboxes full of messages. A slot here is free again when its bytes are in the socket.
//
// Messages of a lane take any stream and may overtake each other: each frame names its sequence
// number, and so its slot. Credit is returned with messages of the same lane, or in a frame of its
// own: as soon as this rank has nothing better to do (it waits) when half of the slots are owed, of
// small messages all but one; at once when all but one are, and of small messages all, or three
// quarters if the sender is ahead. Holding it back is safe: the sender's own mailbox holds as many
// messages as schedules are proved for, and it always has credit for one more, or is being given
// some.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/operation.h"
#include "base/status.h"
#include "transport/link.h"
#include "transport/operation_board.h"
#include "transport/tcp_stream.h"

namespace xccl {

class TcpPeer;

// A message that has come but is not to be seen yet.
struct DelayedMessage {
    Clock::time_point due;
    TcpPeer* peer;
    FrameHeader header;
};

// What the peers of one carrier share.
struct TcpShared {
    LaneGeometry geometry;
    int stream_count = 1;
    std::chrono::milliseconds delay{0};
    std::deque<DelayedMessage> delayed;  // in order of `due`; bounded by the peers' credit
    bool credit_waits = false;           // some peer's, for this rank to have nothing to do
    std::uint64_t payload_bytes_sent = 0;
    static constexpr std::size_t kRecentOperations = 8;  // a power of two
    std::array<OperationDescriptor, kRecentOperations> recent;
    std::uint64_t operation_changes = 0;  // how often that has changed; 0: nothing yet
    // What this rank did at a change; the last one is what it is doing.
    const OperationDescriptor& operation(std::uint64_t change) const {
        return recent[change & (kRecentOperations - 1)];
    }
};

class TcpPeer : public FrameReceiver {
  public:
    static Result<std::unique_ptr<TcpPeer>> make(int rank, TcpShared* shared);

    int rank() const { return rank_; }
    std::unique_ptr<Link> make_link(Carrier* carrier) const;

    // ---- Streams. Each index forms once.
    bool add_stream(int index, OwnedDescriptor socket);  // false: that one is there already
    TcpStream* stream(int index) { return streams_[static_cast<std::size_t>(index)].get(); }
    int formed_count() const;

    // ---- Out.
    void mark_published(int lane) { dirty_lanes_ |= 1u << lane; }
    // True if the peer is to have its credit at once.
    bool mark_released(int lane);
    bool owes_credit() const { return credit_due_ != 0; }
    void tell() { tell_due_ = shared_->operation_changes > 0; }
    void say_leaving();
    // Hands frames to the streams and writes them. True if anything moved.
    Result<bool> pump();
    bool flushed() const;
    bool flushed(int lane) const;
    // Of messages that are references, and of those that were to be placed, in their slots.
    void keep_payloads();

    // ---- In.
    void post(int lane, const PostedReceive& posted);
    Result<bool> read(int stream_index);
    int last_stream() const { return last_stream_; }  // that brought something
    bool reads_long() const {                         // has it brought a long message?
        const TcpStream* const last = streams_[static_cast<std::size_t>(last_stream_)].get();
        return last != nullptr && last->is_long();
    }
    const OperationBoard& heard() const { return heard_; }
    bool has_left() const { return has_left_; }

    Result<std::byte*> accept(const FrameHeader& header) override;
    void complete(const FrameHeader& header, const OperationDescriptor* operation) override;
    // Lets the executor see a message that has come.
    void show(const FrameHeader& header);

  private:
    struct OutLane {
        MailboxView mailbox;
        std::uint32_t next = 1;      // the next message to hand to a stream
        std::uint32_t released = 0;  // slots given back to the executor, in order
        std::uint32_t credited = 0;  // messages that the peer has read
        std::vector<bool> written;   // by slot: handed over and written, not yet released
        bool is_published(std::uint32_t sequence) const;
        // Whether or not there is credit for it.
        bool has_message() const { return is_published(next); }
        bool ready() const { return next - credited <= mailbox.slot_count && has_message(); }
    };
    struct InLane {
        MailboxView mailbox;
        std::uint32_t returned = 0;      // credit that the peer has been given
        bool takes_large = false;        // the last message was one
        std::vector<bool> coming;        // by slot: accepted, not yet visible or under way
        PostedReceive posted;            // of the next message; no address: there is none
        std::vector<std::byte*> placed;  // by slot: where its message lies; null: there
        std::uint32_t consumed() const {
            return mailbox.consumed->load(std::memory_order_relaxed);  // written by this thread
        }
        bool has_next() const;  // has the next message come, or begun to?
        std::byte* take_posted(const FrameHeader& header);
    };
    struct Unmap {
        std::size_t bytes;
        void operator()(std::byte* memory) const;
    };

    TcpPeer(int rank, TcpShared* shared) : rank_(rank), shared_(shared) {}

    std::uint32_t preferred_stream(int lane) const;  // of its next message
    TcpStream* choose_stream(std::uint32_t preferred);
    void keep_sent();
    void keep_placed();
    void queue_control();
    void queue_messages();
    void push_message(TcpStream& stream, int lane);
    void push_missed_operations(TcpStream& stream);
    FrameHeader header_of(FrameKind kind, int lane);
    void note_sent(const FrameHeader& header);
    Status take_credit(const FrameHeader& header);
    void hear(const OperationDescriptor& operation);

    const int rank_;
    TcpShared* const shared_;
    std::unique_ptr<std::byte, Unmap> memory_{nullptr, Unmap{0}};  // outbound block, inbound block
    std::vector<OutLane> out_;
    std::vector<InLane> in_;
    std::vector<std::unique_ptr<TcpStream>> streams_;

    std::uint32_t dirty_lanes_ = 0;  // bit by lane: may have messages that can go
    std::uint32_t credit_due_ = 0;   // bit by lane
    bool tell_due_ = false;          // of what this rank does, in a frame of its own
    std::uint32_t leaving_due_ = 0;  // bit by stream
    OperationBoard heard_;
    std::uint64_t newest_heard_ = 0;
    int last_stream_ = 0;
    bool has_left_ = false;
};

}  // namespace xccl
