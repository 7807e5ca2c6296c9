// What lies where in the memory that the ranks of one communicator share on one host.
//
//     header              magic, version, sizes; counters; the failure record      one page
//     rank blocks         doorbell, life word, presence, published operations      per rank
//     outboxes            what a rank has for several others            per rank, of 3 or more
//     mailboxes           [receiver][sender]: credit lines and slots, page-aligned per pair
//
// A pure function of the geometry and the number of local ranks. Most of it is never touched: pages
// come into being pair by pair, when the pair connects. All zero bytes is the initial state of
// everything but the header.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "transport/doorbell.h"
#include "transport/failure_record.h"
#include "transport/landing_gate.h"
#include "transport/link.h"
#include "transport/liveness.h"
#include "transport/operation_board.h"
#include "transport/peer_heap.h"

namespace xccl {

struct SegmentHeader {
    static constexpr std::uint64_t kMagic = 0x78636c2d73656731;  // "xcl-seg1"
    static constexpr std::uint32_t kVersion = 4;

    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t local_ranks;
    std::uint64_t total_bytes;
    std::uint32_t flagged_slot_bytes;
    std::uint32_t flagged_slot_count;
    std::uint32_t slotted_slot_bytes;
    std::uint32_t slotted_slot_count;
    std::int32_t flagged_lanes;
    std::int32_t slotted_lanes;
    // Ranks in processes that barriers do not reach (barrier.h): if there are any, nobody may sleep
    // long.
    std::atomic<std::uint32_t> ranks_without_barrier;

    FailureRecord failure;  // in lines of its own
};

enum class Presence : std::uint32_t { kAbsent, kPresent, kLeft };

struct alignas(64) RankBlock {
    Doorbell doorbell;
    LifeWord life;
    alignas(64) std::atomic<Presence> presence;
    // The local rank whose life word stands for this one's process.
    std::atomic<std::uint32_t> life_index;
    std::atomic<std::int32_t> cpu;  // that it was last seen on, plus one; 0: not told
    OperationBoard operations;
    alignas(64) HeapAddress heap;
    LandingGate gate;
};
static_assert(sizeof(RankBlock) == 896);

class SegmentLayout {
  public:
    static Result<SegmentLayout> make(int local_ranks, const LaneGeometry& geometry);

    int local_ranks() const { return local_ranks_; }
    const LaneGeometry& geometry() const { return geometry_; }
    std::size_t total_bytes() const;

    std::size_t rank_block_offset(int local_rank) const;
    // Header and rank blocks: what must be there before anything else.
    std::size_t control_bytes() const;
    std::size_t outbox_offset(int local_rank) const;
    std::size_t outbox_bytes() const;  // a multiple of the page; 0: nobody has two peers here
    // The mailboxes through which `sender` reaches `receiver`.
    std::size_t pair_offset(int receiver, int sender) const;
    std::size_t pair_bytes() const;  // a multiple of the page

    void write_header(SegmentHeader* header) const;
    // Does memory that came from elsewhere hold what this layout says?
    Status check_header(const SegmentHeader& header) const;

  private:
    SegmentLayout(int local_ranks, const LaneGeometry& geometry)
        : local_ranks_(local_ranks), geometry_(geometry) {}

    int local_ranks_;
    LaneGeometry geometry_;
};

}  // namespace xccl
