#include "transport/segment_layout.h"

#include "base/assert.h"
#include "base/limits.h"
#include "transport/geometry.h"

namespace xccl {
namespace {

// Of the layout, whatever the machine's: a multiple of every page size in use (Arm has 64 KiB
// pages, but a reservation that spills into a neighbour's page only reserves a little more).
constexpr std::size_t kPageBytes = 4096;
static_assert(sizeof(SegmentHeader) <= kPageBytes);

constexpr std::size_t round_to_page(std::size_t bytes) {
    return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

}  // namespace

Result<SegmentLayout> SegmentLayout::make(int local_ranks, const LaneGeometry& geometry) {
    if (local_ranks < 1 || local_ranks > kMaxLocalRanks) {
        return invalid_argument("{} ranks on one host: must be between 1 and {}", local_ranks,
                                kMaxLocalRanks);
    }
    XCCL_TRY(check_geometry(geometry));
    return SegmentLayout(local_ranks, geometry);
}

std::size_t SegmentLayout::rank_block_offset(int local_rank) const {
    XCCL_ASSERT(local_rank >= 0 && local_rank < local_ranks_);
    return kPageBytes + static_cast<std::size_t>(local_rank) * sizeof(RankBlock);
}

std::size_t SegmentLayout::control_bytes() const {
    return round_to_page(kPageBytes + static_cast<std::size_t>(local_ranks_) * sizeof(RankBlock));
}

std::size_t SegmentLayout::outbox_offset(int local_rank) const {
    XCCL_ASSERT(local_rank >= 0 && local_rank < local_ranks_);
    return control_bytes() + static_cast<std::size_t>(local_rank) * outbox_bytes();
}

std::size_t SegmentLayout::outbox_bytes() const {
    return local_ranks_ > 2 ? round_to_page(xccl::outbox_bytes(geometry_)) : 0;
}

std::size_t SegmentLayout::pair_bytes() const {
    return round_to_page(mailbox_bytes(geometry_));
}

// Nobody sends to itself: each receiver has the senders below it, then those above.
std::size_t SegmentLayout::pair_offset(int receiver, int sender) const {
    XCCL_ASSERT(receiver >= 0 && receiver < local_ranks_);
    XCCL_ASSERT(sender >= 0 && sender < local_ranks_ && sender != receiver);
    const std::size_t row = static_cast<std::size_t>(receiver) * (local_ranks_ - 1);
    const std::size_t column = static_cast<std::size_t>(sender < receiver ? sender : sender - 1);
    const std::size_t outboxes = static_cast<std::size_t>(local_ranks_) * outbox_bytes();
    return control_bytes() + outboxes + (row + column) * pair_bytes();
}

std::size_t SegmentLayout::total_bytes() const {
    const std::size_t ranks = static_cast<std::size_t>(local_ranks_);
    return control_bytes() + ranks * (outbox_bytes() + (ranks - 1) * pair_bytes());
}

void SegmentLayout::write_header(SegmentHeader* header) const {
    header->magic = SegmentHeader::kMagic;
    header->version = SegmentHeader::kVersion;
    header->local_ranks = static_cast<std::uint32_t>(local_ranks_);
    header->total_bytes = total_bytes();
    header->flagged_slot_bytes = geometry_.flagged_slot_bytes;
    header->flagged_slot_count = geometry_.flagged_slot_count;
    header->slotted_slot_bytes = geometry_.slotted_slot_bytes;
    header->slotted_slot_count = geometry_.slotted_slot_count;
    header->flagged_lanes = geometry_.flagged_lanes;
    header->slotted_lanes = geometry_.slotted_lanes;
}

Status SegmentLayout::check_header(const SegmentHeader& header) const {
    if (header.magic != SegmentHeader::kMagic || header.version != SegmentHeader::kVersion) {
        return remote_error(
            "what this host's first rank handed over is not a shared segment of this version "
            "(magic {:x}, version {}; here {:x}, {}); run the same libxccl.so on all ranks",
            header.magic, header.version, SegmentHeader::kMagic, SegmentHeader::kVersion);
    }
    const bool alike = header.local_ranks == static_cast<std::uint32_t>(local_ranks_) &&
                       header.total_bytes == total_bytes() &&
                       header.flagged_slot_bytes == geometry_.flagged_slot_bytes &&
                       header.flagged_slot_count == geometry_.flagged_slot_count &&
                       header.slotted_slot_bytes == geometry_.slotted_slot_bytes &&
                       header.slotted_slot_count == geometry_.slotted_slot_count &&
                       header.flagged_lanes == geometry_.flagged_lanes &&
                       header.slotted_lanes == geometry_.slotted_lanes;
    if (!alike) {
        return remote_error(
            "the shared segment was made for {} ranks and {} bytes, this rank expects {} and {}; "
            "the ranks' settings differ",
            header.local_ranks, header.total_bytes, local_ranks_, total_bytes());
    }
    return ok_status();
}

}  // namespace xccl
