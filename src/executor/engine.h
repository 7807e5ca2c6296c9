// The engine of one communicator rank: walks encoded steps over links, never blocking. It is two
// queues that take turns: collectives, and point to point.
//
// Sans-I/O: advance() does what can be done now and returns. It sleeps, reads clocks, allocates and
// logs nothing. Whoever waits calls it: the calling thread, a host-stream worker, the simulator.
// One thread at a time uses an engine (the holder of the communicator's lock).
//
// Collectives run in the order of submission, one at a time; grouped sends and receives run as one
// queue per peer and direction, all active together, beside them.
//
// Every message carries the epoch and a hash of all collectives so far, this one included. So a
// call that differs between two ranks shows in the next message between them, whatever it is.
//
// Carriers are told of what was published and released; the caller calls Carrier::progress().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/operation.h"
#include "base/status.h"
#include "executor/collective_queue.h"
#include "executor/engine_context.h"
#include "executor/launch.h"
#include "executor/mutant.h"
#include "executor/point_to_point.h"

namespace xccl {

// Names a submitted operation; 0 is none. Only done() can compare two of them.
using Ticket = std::uint64_t;

class Engine {
  public:
    // `epoch` tells apart the lives of a set of mailboxes: messages of another epoch are taken for
    // not there. Equal on all ranks.
    Engine(int rank, int rank_count, LaneGeometry geometry, Neighbourhood* neighbourhood,
           std::uint8_t epoch = 0);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    Engine(Engine&&) = delete;
    Engine& operator=(Engine&&) = delete;
    ~Engine() = default;

    // Checks a launch against the lanes, and gets its links and scratch: what is slow and may fail.
    // To be kept for the next call of the same shape. For this engine only.
    Result<std::shared_ptr<const PreparedLaunch>> prepare(Launch launch);

    // Queues a collective. Cheap: a cached call costs submit() and advance(), which neither
    // allocate nor, while the same launch is repeated, count references.
    Ticket submit(const std::shared_ptr<const PreparedLaunch>& launch, const Buffers& buffers) {
        const Ticket ticket = collective_ticket(collectives_.submit(launch, buffers));
        if (__builtin_expect(failed(), 0)) drop_all();
        return ticket;
    }

    // Queues one half of a point-to-point exchange of `bytes`. `descriptor.root` is the peer.
    Result<Ticket> submit_send(int peer, const std::byte* data, std::uint64_t bytes,
                               const OperationDescriptor& descriptor);
    Result<Ticket> submit_recv(int peer, std::byte* data, std::uint64_t bytes,
                               const OperationDescriptor& descriptor);

    // Does a bounded amount of what can be done now. True if anything moved. After a failure it
    // returns false and status() says why. `budget` bounds the steps taken (each at most one slot).
    bool advance(std::uint32_t budget = 64) {
        if (failed()) return false;
        const bool moved = collectives_.advance(budget);
        if (__builtin_expect(point_to_point_.idle() && !failed(), 1)) return moved;
        return advance_rest(moved, budget);
    }

    // Also true once the engine has failed.
    bool done(Ticket ticket) const {
        if (__builtin_expect(failed(), 0)) return true;
        const std::uint64_t place = ticket >> kQueueBits;
        const std::uint64_t queue = ticket & kQueueMask;
        if (queue == 0) return collectives_.completed() >= place;
        return point_to_point_.completed(static_cast<int>(queue - 1) / 2, (queue - 1) % 2 == 0) >=
               place;
    }
    // Nothing submitted is unfinished.
    bool idle() const { return failed() || (collectives_.idle() && point_to_point_.idle()); }

    // Has a collective been completed, since this was asked last, that may have read a peer's
    // buffer in place? Its result is good only if that peer had not failed by then: who fails gets
    // its buffers back at once.
    bool take_read_in_place() { return std::exchange(context_.read_in_place, false); }

    // The first failure; sticky.
    const Status& status() const { return context_.failure; }
    // Ends everything pending with `failure` (peer death, abort, deadline). The first one wins.
    void fail(const Status& failure);

    // For whoever has waited long: whom for, and whether what peers have published explains it.
    // check_mismatch() fails the engine, naming both sides' values, if a peer that this rank has a
    // link to is seen in, or past, an operation that does not match this rank's of the same
    // sequence number.
    std::optional<Blockage> blockage() const;
    void check_mismatch();

    // When all ranks have called their last: fails the engine, naming both sides, if something was
    // sent between this rank and a peer that nobody has received.
    void check_unreceived();

    std::uint64_t collectives_submitted() const {  // the sequence number of the last one
        return collectives_.submitted();
    }
    const OperationDescriptor& newest_collective() const { return context_.history.newest(); }
    std::optional<OperationDescriptor> last_collective() const {
        return context_.history.at(collectives_submitted());
    }

  private:
    // A ticket says which queue an operation is in and how many were before it there:
    // [place 46][queue 18], where queue 0 holds the collectives and 1 + 2 * peer (+ 1) the sends to
    // (receives from) a peer. So done() is one comparison.
    static constexpr int kQueueBits = 18;
    static constexpr std::uint64_t kQueueMask = (std::uint64_t{1} << kQueueBits) - 1;
    static_assert(1 + 2 * kMaxRanks <= 1 << kQueueBits);
    static Ticket collective_ticket(std::uint64_t place) { return place << kQueueBits; }
    static Ticket transfer_ticket(std::uint64_t place, int peer, bool is_send) {
        const std::uint64_t queue = 1 + 2 * static_cast<std::uint64_t>(peer) + (is_send ? 0 : 1);
        return place << kQueueBits | queue;
    }

    bool failed() const { return !context_.failure.ok() && !mutated(Mutant::kSkippedAbort); }
    bool advance_rest(bool moved, std::uint32_t budget);
    void drop_all();
    Result<Ticket> submit_transfer(int peer, bool is_send, const PointToPoint::Transfer& transfer);

    EngineContext context_;
    CollectiveQueue collectives_;
    PointToPoint point_to_point_;
};

}  // namespace xccl
