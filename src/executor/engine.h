// The engine of one communicator rank: walks encoded steps over links, never blocking.
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
    // Called when a collective starts.
    virtual void publish(const OperationDescriptor& operation) = 0;
    // What `peer` was last seen doing; and at a given sequence number, if that is still known.
    virtual std::optional<OperationDescriptor> last_of(int peer) = 0;
    virtual std::optional<OperationDescriptor> at_of(int peer, std::uint64_t sequence) = 0;
    // "rank 3 on node7"; also of this rank itself.
    virtual std::string name_of(int peer) = 0;
};

// Names a submitted operation; 0 is none. Only done() can compare two of them.
using Ticket = std::uint64_t;

// A launch that an engine has checked, and for which it holds links and scratch memory.
class PreparedLaunch;

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
    // `epoch` tells apart the lives of a set of mailboxes: messages of another epoch are taken for
    // not there. Equal on all ranks.
    Engine(int rank, int rank_count, LaneGeometry geometry, Neighbourhood* neighbourhood,
           std::uint8_t epoch = 0);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Checks a launch against the lanes, and gets its links and scratch: what is slow and may fail.
    // To be kept for the next call of the same shape. For this engine only.
    Result<std::shared_ptr<const PreparedLaunch>> prepare(Launch launch);

    // Queues a collective. Cheap: a cached call costs submit() and advance(), which neither
    // allocate nor, while the same launch is repeated, count references.
    Ticket submit(const std::shared_ptr<const PreparedLaunch>& launch, const Buffers& buffers);

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

    // For whoever has waited long: whom for, and whether what peers have published explains it.
    // check_mismatch() fails the engine, naming both sides' values, if a peer that this rank has a
    // link to is seen in, or past, an operation that does not match this rank's of the same
    // sequence number.
    std::optional<Blockage> blockage() const;
    void check_mismatch();

    // When all ranks have called their last: fails the engine, naming both sides, if something was
    // sent between this rank and a peer that nobody has received.
    void check_unreceived();

    std::uint64_t collectives_submitted() const;  // the sequence number of the last one
    std::optional<OperationDescriptor> last_collective() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace xccl
