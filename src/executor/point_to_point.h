// Sends and receives: one queue per peer and direction, all active together, on the lane of the
// links that is theirs.
//
// The k-th send to a peer meets the k-th receive there. A transfer is cut into messages of one slot
// each. The first begins with what the sender calls, so that the receiver can say how the two
// differ; it is sent for 0 bytes too.
//
//     message 1   [TransferHeader][data ...]
//     message 2   [data ...]  and so on: all full but the last
//
// Transfers to oneself go from one queue to the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "executor/engine_context.h"
#include "executor/ring_queue.h"

namespace xccl {

struct TransferHeader {
    std::uint64_t count;  // elements
    std::uint32_t datatype;
    std::uint32_t reserved;
};
static_assert(sizeof(TransferHeader) == 16);

class PointToPoint {
  public:
    explicit PointToPoint(EngineContext* context) : context_(*context) {}

    struct Transfer {
        std::byte* data = nullptr;  // only read, of a send
        std::uint64_t bytes = 0;
        OperationDescriptor descriptor;
    };
    // Its place in the queue, from 1.
    Result<std::uint64_t> submit(int peer, bool is_send, const Transfer& transfer);
    bool advance(std::uint32_t budget);

    std::uint64_t completed(int peer, bool is_send) const;
    bool idle() const { return active_.empty(); }
    std::optional<Blockage> blockage() const;
    void drop_all();

    // For whoever has waited long. Fails if a transfer waits for a peer that has called its last:
    // nothing can come of it.
    void check_abandoned();
    // A transfer that was sent and not received, though all ranks have called their last.
    std::optional<Status> unreceived() const;

  private:
    struct Queue {
        int peer = -1;
        bool is_send = false;
        Link* link = nullptr;  // null: to oneself
        RingQueue<Transfer> transfers;
        std::uint64_t moved_bytes = 0;  // of the front
        bool header_moved = false;      // of the front
        bool active = false;            // stands in active_
        std::uint64_t submitted = 0;
        std::uint64_t completed = 0;
    };
    struct Pair {
        Queue send;
        Queue receive;
    };

    Result<Pair*> pair(int peer);
    const Queue* find(int peer, bool is_send) const;
    bool advance_queue(Queue& queue, std::uint32_t* budget);
    bool move_message(Queue& queue);
    bool send_message(Queue& queue);
    bool receive_message(Queue& queue);
    bool accept_header(const Queue& queue, const Message& message);
    bool copy_to_self(Queue& queue);
    bool finish_front(Queue& queue);
    void fail_mismatch(const Queue& queue, const TransferHeader& theirs);
    std::uint32_t signature(const Queue& queue) const;
    std::uint64_t capacity(const Queue& queue) const;

    EngineContext& context_;
    std::vector<std::unique_ptr<Pair>> pairs_;  // by peer
    std::vector<Queue*> active_;                // those that may have something in them
    std::size_t next_ = 0;                      // whose turn it is

    struct Abandoned {
        const Queue* queue = nullptr;
        std::uint64_t completed = 0;
        std::uint64_t moved_bytes = 0;
        bool operator==(const Abandoned&) const = default;
    };
    Abandoned abandoned_;      // what the last look saw
    int abandoned_looks_ = 0;  // how many saw the same
};

}  // namespace xccl
