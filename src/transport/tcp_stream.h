// One connection: frames in, frames out, without copies of large payloads.
//
// Out: payloads are written straight from where they lie, slots or callers' buffers, several frames
// per system call.
// In: one read fills the rest of the current payload, straight into the receiver's slot, and then a
// small buffer with whatever follows, so that small messages cost one read for many.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "base/owned_descriptor.h"
#include "base/status.h"
#include "transport/tcp_frame.h"

namespace xccl {

// Who owns the lanes: checks what comes in and says where it goes.
class FrameReceiver {
  public:
    FrameReceiver() = default;
    FrameReceiver(const FrameReceiver&) = delete;
    FrameReceiver& operator=(const FrameReceiver&) = delete;
    FrameReceiver(FrameReceiver&&) = delete;
    FrameReceiver& operator=(FrameReceiver&&) = delete;
    virtual ~FrameReceiver() = default;
    // Where the payload of `header` goes; null only if it has none. A failure ends the connection.
    virtual Result<std::byte*> accept(const FrameHeader& header) = 0;
    // All of the frame has come.
    virtual void complete(const FrameHeader& header, const OperationDescriptor* operation) = 0;
};

class TcpStream {
  public:
    explicit TcpStream(OwnedDescriptor socket);

    int socket() const { return socket_.get(); }
    void close() { socket_.reset(); }
    bool closed() const { return !socket_; }

    // ---- Out. The payload must stay until pop_sent() has returned its frame.
    static constexpr std::size_t kMaxQueuedFrames = 8;
    std::size_t room() const { return kMaxQueuedFrames - queued_ - sent_; }  // frames
    bool can_take() const { return room() > 0; }
    std::size_t queued_bytes() const { return queued_bytes_; }
    void push(FrameHeader header, const std::byte* payload, const OperationDescriptor* operation);
    // Queued payloads lie somewhere else from now on.
    template <class PlaceOf>
    void move_payloads(PlaceOf&& place_of) {
        for (std::size_t i = sent_; i < sent_ + queued_; ++i) {
            OutFrame& out = frame(i);
            if (out.payload_bytes > 0) out.payload = place_of(header_of(out));
        }
    }
    // Writes what fits. True if any byte went.
    Result<bool> write();
    // The next frame whose last byte has been written, in order.
    std::optional<FrameHeader> pop_sent();
    bool idle() const { return queued_ == 0; }
    // Whether the socket was full when last written to.
    bool blocked() const { return blocked_; }
    // How many of its operations this rank has told of here. It tells of them on each stream, since
    // streams overtake each other: who hears of one has heard of those before it.
    std::uint64_t operations_told() const { return operations_told_; }
    void set_operations_told(std::uint64_t count) { operations_told_ = count; }

    // ---- In. Reads what is there, within reason. True if any byte came.
    Result<bool> read(FrameReceiver& receiver);
    // The payload under way, what has come of it too, lies somewhere else from now on.
    template <class PlaceOf>
    void move_destination(PlaceOf&& place_of) {
        if (!in_payload_ || missing_ == 0) return;
        std::byte* const place = place_of(current_);
        const std::size_t here = current_.byte_count - missing_;
        std::memmove(place, destination_ - here, here);
        destination_ = place + here;
    }
    // Is the payload under way, or that of the last message, longer than what is read of small ones
    // at once?
    bool is_long() const { return message_bytes_ >= kBufferBytes; }
    // The peer has closed its end. Set by read().
    bool ended() const { return ended_; }

  private:
    // Shorter payloads are copied behind their header: one piece costs the kernel less than two.
    static constexpr std::size_t kInlineBytes = 256;

    struct OutFrame {
        std::array<std::byte, kMaxFrameHeadBytes + kInlineBytes> head;  // and a short payload
        std::uint32_t head_bytes = 0;
        std::uint32_t payload_bytes = 0;
        const std::byte* payload = nullptr;
        std::size_t bytes() const { return std::size_t{head_bytes} + payload_bytes; }
    };

    static FrameHeader header_of(const OutFrame& out);
    OutFrame& frame(std::size_t index) {  // from queue_begin_
        return queue_[(queue_begin_ + index) % kMaxQueuedFrames];
    }
    void count_written(std::size_t bytes);
    Status parse(FrameReceiver& receiver);
    Result<bool> parse_one(FrameReceiver& receiver);
    std::size_t bytes_ahead() const;
    std::size_t buffered() const { return buffer_end_ - buffer_begin_; }

    OwnedDescriptor socket_;

    std::array<OutFrame, kMaxQueuedFrames> queue_;
    std::size_t queue_begin_ = 0;
    std::size_t sent_ = 0;        // from queue_begin_: wholly written, not yet popped
    std::size_t queued_ = 0;      // after those: not yet wholly written
    std::size_t front_sent_ = 0;  // bytes of the front frame
    std::size_t queued_bytes_ = 0;
    bool blocked_ = false;
    std::uint64_t operations_told_ = 0;

    static constexpr std::size_t kBufferBytes = 16 << 10;
    std::vector<std::byte> buffer_;
    std::size_t buffer_begin_ = 0;
    std::size_t buffer_end_ = 0;
    bool in_payload_ = false;
    FrameHeader current_;              // whose payload is under way
    std::uint32_t message_bytes_ = 0;  // of the last message's payload, which may be this one's
    std::optional<OperationDescriptor> operation_;
    std::byte* destination_ = nullptr;  // of the rest of its payload
    std::size_t missing_ = 0;           // bytes of it
    bool ended_ = false;
};

}  // namespace xccl
