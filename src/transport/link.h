// A link: this rank's end of everything between it and one peer, as the executor sees it.
//
// The executor only ever touches mailboxes in memory that it can read and write. If the peer maps
// the same memory (threads, processes of one host), that is all there is, and no step pays a
// virtual call. If not, both ends have mailboxes of their own and a *carrier* (tcp, later verbs
// and ucx; the simulator's in tests) copies messages from the sender's to the receiver's and
// credit back. So the executor, the proofs about bounded mailboxes and the simulator are the same
// for every transport.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/deadline.h"
#include "base/operation.h"
#include "base/status.h"
#include "transport/mailbox.h"
#include "transport/outbox.h"
#include "transport/peer_heap.h"

namespace xccl {

// Lanes of every link of a communicator, agreed by all ranks when it is made:
// [0, flagged_lanes)                  small slots: messages that fit a few cache lines
// [flagged_lanes, + slotted_lanes)    large slots
// the last one                        grouped sends and receives, large slots
struct LaneGeometry {
    std::uint32_t flagged_slot_bytes = 256;
    std::uint32_t flagged_slot_count = 8;
    std::uint32_t slotted_slot_bytes = 64 * 1024 + 16;  // rounded up to a cache line when laid out
    std::uint32_t slotted_slot_count = 4;
    int flagged_lanes = 2;
    int slotted_lanes = 2;

    int lane_count() const { return flagged_lanes + slotted_lanes + 1; }
    int point_to_point_lane() const { return flagged_lanes + slotted_lanes; }
    bool is_flagged(int lane) const { return lane < flagged_lanes; }
};

struct Doorbell;  // doorbell.h: wakes a rank that sleeps
class Carrier;

// Where the payload of a message that has not come yet is to lie: in a buffer, not in its slot.
struct PostedReceive {
    std::uint32_t sequence = 0;  // of the message in its lane
    std::uint32_t signature = 0;
    std::uint32_t byte_count = 0;
    std::byte* address = nullptr;
};

struct Link {
    int peer = -1;
    std::vector<Sender> senders;      // by lane
    std::vector<Receiver> receivers;  // by lane
    Doorbell* doorbell = nullptr;     // the peer's, if its memory is mapped
    Carrier* carrier = nullptr;       // who moves the messages, if it is not
    bool by_address = false;          // who reads a payload where a message says that it lies
    // Of the peer, if its memory is mapped: messages may then be references.
    std::unique_ptr<PeerHeap> heap;
    // If its memory is mapped and others read there, too: this rank's outbox, and the peer's.
    Outbox* outbox = nullptr;
    OutboxView peer_outbox;
};

// Moves messages between mailboxes of ranks that share no memory. Used by one thread at a time (the
// holder of the communicator's engine); nothing here blocks.
class Carrier {
  public:
    Carrier() = default;
    Carrier(const Carrier&) = delete;
    Carrier& operator=(const Carrier&) = delete;
    Carrier(Carrier&&) = delete;
    Carrier& operator=(Carrier&&) = delete;
    virtual ~Carrier() = default;
    virtual const char* name() const = 0;

    // The executor has published to, or released from, this lane of the link to `peer`.
    virtual void published(int peer, int lane) = 0;
    virtual void released(int peer, int lane) = 0;

    // Moves what can be moved now; true if anything was. A failure names the peer that is lost.
    virtual Result<bool> progress() = 0;
    // Are messages all that is under way? Then a call may send before it calls progress(); while
    // connections form, or messages are held up, what is due must not wait for that.
    virtual bool is_settled() const { return false; }
    // This rank has nothing to do until something comes from `peer` (-1: nobody knows from whom),
    // who may as well be one that this carrier does not serve. progress() may look there first, and
    // at all others less often. Holds until the next call.
    virtual void expect(int /*peer*/) {}

    // The executor would copy the payload of that message to `posted`, and to nowhere else before:
    // if it comes and is as described, it may be written there at once (MessageKind::kPlaced). At
    // most one message of a lane, the next to be read. Holds until the message has come, or until
    // keep_payloads().
    virtual void post(int /*peer*/, int /*lane*/, const PostedReceive& /*posted*/) {}

    // True when everything published has left this process: an operation may complete.
    virtual bool flushed() const = 0;
    // The same for one lane to one peer: what an operation waits for that has used it, so that it
    // need not wait for another one's messages.
    virtual bool flushed(int /*peer*/, int /*lane*/) const { return flushed(); }

    // Sends `operation` (what this rank is doing) along with the next frame to each peer; tell()
    // sends it to one peer at once, for a rank that has waited long.
    virtual void announce(const OperationDescriptor& operation) = 0;
    virtual void tell(int peer) = 0;
    // Buffers are given back though messages may still refer to them (an operation failed): copies
    // what has not left yet into its slots, and writes nothing more to where messages were to be
    // placed.
    virtual void keep_payloads() {}

    // What `peer` was last heard to be doing; and the operation of a given sequence number, if it
    // was heard of and is still known.
    virtual std::optional<OperationDescriptor> heard(int peer) const = 0;
    virtual std::optional<OperationDescriptor> heard_at(int peer, std::uint64_t sequence) const {
        const auto last = heard(peer);
        return last && last->sequence == sequence ? last : std::nullopt;
    }
    // Has `peer` said that it leaves? Nothing more will come from it.
    virtual bool has_left(int /*peer*/) const { return false; }

    // A descriptor that polls readable when progress() may have something to do; -1 if none.
    virtual int poll_descriptor() const { return -1; }
};

// Makes links. One per kind; connect() returns at once, the connection may still be forming.
class Transport {
  public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    Transport(Transport&&) = delete;
    Transport& operator=(Transport&&) = delete;
    virtual ~Transport() = default;
    virtual const char* name() const = 0;
    virtual Result<std::unique_ptr<Link>> connect(int peer) = 0;
    virtual Carrier* carrier() { return nullptr; }
    virtual std::uint64_t payload_bytes_sent() const { return 0; }  // that left this host's memory
    // Takes leave of all peers in peace, having sent everything that was published. Waits until
    // their hosts have it, or the deadline has passed.
    virtual void leave(Deadline /*deadline*/) {}
};

}  // namespace xccl
