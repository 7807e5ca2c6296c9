// The memory that the ranks of one communicator share on one host, mapped once per process.
//
// Between processes it is a sealed memfd: no name in any file system, gone with its last user,
// however that ends. Among the threads of one process it is anonymous memory without a descriptor.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "base/status.h"
#include "transport/segment_layout.h"
#include "transport/system_calls.h"

namespace xccl {

enum class RankState { kAbsent, kPresent, kLeft, kDied };

class Segment {
  public:
    // For ranks of several processes: hand descriptor() to the others (segment_handover.h).
    static Result<std::shared_ptr<Segment>> create(const SegmentLayout& layout,
                                                   const SystemCalls& calls = {});
    // For ranks that are all threads of this process.
    static Result<std::shared_ptr<Segment>> create_private(const SegmentLayout& layout,
                                                           const SystemCalls& calls = {});
    // Maps what another process has created, having checked its size, seals and header. Owns
    // `descriptor` from here on, also on failure.
    static Result<std::shared_ptr<Segment>> attach(int descriptor, const SegmentLayout& layout,
                                                   const SystemCalls& calls = {});
    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;
    Segment(Segment&&) = delete;
    Segment& operator=(Segment&&) = delete;

    const SegmentLayout& layout() const { return layout_; }
    int descriptor() const { return descriptor_; }  // -1: private
    bool is_private() const { return descriptor_ < 0; }

    // Joins as this rank: from here on its death is seen by the others. Ranks are local ones
    // throughout.
    Status enrol(int rank);
    // Leaves in peace.
    void leave(int rank);
    RankState state_of(int rank) const;

    // Makes sure that there is memory for all mailboxes between two ranks, so that touching them
    // cannot fail later.
    Status reserve_pair(int rank, int peer);
    MailboxView mailbox(int receiver, int sender, int lane) const;
    // The same for an outbox, which has no slots where nobody has two peers.
    Status reserve_outbox(int rank);
    OutboxView outbox(int rank) const;

    // What one of two ranks needs to read the other's heap, and to let it read its own.
    PeerHeap::Places heap_places(int rank, int peer) const;
    // From now on no peer writes into this rank's buffers. Returns a peer that was at it when the
    // deadline passed, and may be so still; -1: none.
    int withdraw_buffers(int rank, Deadline deadline);

    Doorbell& doorbell(int rank) const { return block(rank).doorbell; }
    OperationBoard& operations(int rank) const { return block(rank).operations; }
    // The CPU that a rank was last seen on, plus one; 0: not told. Written by that rank.
    std::atomic<std::int32_t>& cpu(int rank) const { return block(rank).cpu; }
    FailureRecord& failure() const { return header().failure; }
    void ring_all() const;

    // What sleep_on() needs to know.
    BarrierReach reach() const {
        return is_private() ? BarrierReach::kProcess : BarrierReach::kHost;
    }
    bool everyone_enrolled() const {
        return header().ranks_without_barrier.load(std::memory_order_relaxed) == 0;
    }

  private:
    Segment(const SegmentLayout& layout, const SystemCalls& calls, int descriptor)
        : layout_(layout), calls_(calls), descriptor_(descriptor) {}

    Status map();
    Status reserve(std::size_t offset, std::size_t bytes, const char* what);
    SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(base_); }
    RankBlock& block(int rank) const {
        return *reinterpret_cast<RankBlock*>(base_ + layout_.rank_block_offset(rank));
    }
    Status hold_life(int rank);

    const SegmentLayout layout_;
    const SystemCalls calls_;
    int descriptor_ = -1;
    std::byte* base_ = nullptr;
    bool prefault_ = false;  // what is reserved is touched first, which gets it huge pages

    std::mutex mutex_;
    int life_index_ = -1;  // whose life word this process holds; -1: none yet
};

}  // namespace xccl
