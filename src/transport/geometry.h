// How large mailboxes are: a function of what all ranks know, so that all choose alike.
//
// Slots shrink as ranks become more, so that what a rank's inbound mailboxes can hold stays within
// a budget and the memory of a host grows linearly with its ranks, until slots have reached the
// least size that is worth a message. Where ranks are on several hosts slots are larger: a message
// over a network costs far more than one in memory, whatever its size.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/status.h"
#include "transport/link.h"
#include "transport/peer_heap.h"

namespace xccl {

// 0: as the library chooses.
struct GeometryWishes {
    std::uint32_t slotted_slot_bytes = 0;  // payload; rounded up to a cache line
    std::uint32_t slotted_slot_count = 0;  // a power of two
    int flagged_lanes = 0;
    int slotted_lanes = 0;
};

struct SlotLimits {
    std::size_t inbound_bytes;    // of one rank, from all its peers on the host together
    std::uint32_t payload_bytes;  // of one slot
};
constexpr SlotLimits kOneHost = {4 << 20, 64 * 1024};  // stays in a core's second-level cache
constexpr SlotLimits kSeveralHosts = {16 << 20, 256 * 1024};
constexpr std::uint32_t kMinSlottedBytes = 4 * 1024;
// Of an outbox: as many tiles may be on their way to slow readers before payloads are copied.
constexpr std::uint32_t kOutboxSlots = 4;

// `max_local_ranks`: the most ranks that any host has.
Result<LaneGeometry> choose_geometry(int max_local_ranks, const GeometryWishes& wishes = {},
                                     const SlotLimits& limits = kOneHost);

// The most that a message of that lane holds.
std::uint32_t payload_bytes(const LaneGeometry& geometry, int lane);

// Of one direction of one pair: credit counters and the slots of all lanes.
std::size_t mailbox_bytes(const LaneGeometry& geometry);
std::size_t lane_bytes(const LaneGeometry& geometry, int lane);  // slots only
// A slot of an outbox holds the payload of a large slot.
OutboxView outbox_in(std::byte* block, const LaneGeometry& geometry);
std::size_t outbox_bytes(const LaneGeometry& geometry);

// Where the mailbox of `lane` lies in the block of one direction of one pair: first a cache line of
// credit per lane, then the slots, lane by lane. Large slots may have trays (trays.h).
MailboxView mailbox_in(std::byte* block, const LaneGeometry& geometry, int lane);
// Beside the credit of the first lane, and written by the same rank: what it says of the sender's
// heap.
std::atomic<HeapAnswer>* heap_answer_in(std::byte* block);

// Says whether `geometry` can be laid out at all: for numbers that come from elsewhere.
Status check_geometry(const LaneGeometry& geometry);

}  // namespace xccl
