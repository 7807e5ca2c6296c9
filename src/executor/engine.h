// The engine of one communicator rank: walks encoded steps over links, never blocking.
//
// Sans-I/O: advance() does what can be done now and returns. It sleeps, reads clocks, allocates and
// logs nothing. Whoever waits calls it: the calling thread, a host-stream worker, the simulator.
// One thread at a time uses an engine (the holder of the communicator's lock).
//
// Collectives run in the order of submission, one at a time; grouped sends and receives run as one
// queue per peer and direction, all active together, beside them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/operation.h"
#include "base/status.h"
#include "executor/launch.h"
#include "transport/link.h"

namespace xccl {

// Gives the engine its link to a peer the first time that a plan needs it, and tells it what peers
// do. Implemented by the communicator and by the simulator.
class Neighbourhood {
  public:
    virtual ~Neighbourhood() = default;
    virtual Result<Link*> link(int peer) = 0;  // the same pointer every time
    // Makes this rank's current operation visible to all peers (a line of shared memory; with the
    // next frame of each carrier). Costs one cache line.
    virtual void publish(const OperationDescriptor& operation) = 0;
    // What `peer` was last seen doing; and at a given sequence number, if that is still known.
    virtual std::optional<OperationDescriptor> last_of(int peer) = 0;
    virtual std::optional<OperationDescriptor> at_of(int peer, std::uint64_t sequence) = 0;
    // "rank 3 on node7"
    virtual std::string name_of(int peer) = 0;
};

using Ticket = std::uint64_t;  // of a submitted operation; increases; 0 is none

// What the engine's oldest unfinished operation is waiting for.
struct Blockage {
    int peer = -1;
    bool for_credit = false;  // else for a message
    bool point_to_point = false;
    OperationDescriptor operation;
    std::uint32_t lane = 0;
    std::uint64_t tile = 0;
    std::uint32_t step = 0;
};

class Engine {
  public:
    Engine(int rank, int rank_count, LaneGeometry geometry, Neighbourhood* neighbourhood);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Queues a collective. The launch is copied; buffers stay the caller's.
    Result<Ticket> submit(const Launch& launch);

    // Queues one half of a point-to-point exchange of `bytes`. `descriptor.root` is the peer.
    Result<Ticket> submit_send(int peer, const std::byte* data, std::uint64_t bytes,
                               const OperationDescriptor& descriptor);
    Result<Ticket> submit_recv(int peer, std::byte* data, std::uint64_t bytes,
                               const OperationDescriptor& descriptor);

    // Does a bounded amount of what can be done now. True if anything moved. After a failure it
    // returns false and status() says why. `budget` bounds the steps taken (each at most one slot).
    bool advance(std::uint32_t budget = 64);

    bool done(Ticket ticket) const;  // also true once the engine has failed
    bool idle() const;               // nothing submitted is unfinished

    // The first failure; sticky.
    const Status& status() const;
    // Ends everything pending with `failure` (peer death, abort, deadline). The first one wins.
    void fail(const Status& failure);

    // For whoever has waited long: whom for, and whether that peer's published operation explains
    // it. check_mismatch() fails the engine, naming both sides' values, if a peer that is waited
    // for is seen in, or past, an operation that cannot match.
    std::optional<Blockage> blockage() const;
    void check_mismatch();

    std::uint64_t collectives_submitted() const;  // the sequence number of the last one

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace xccl
