#include "transport/geometry.h"

#include <algorithm>
#include <bit>

#include "base/limits.h"

namespace xccl {
namespace {

constexpr std::uint32_t kLineBytes = 64;
constexpr std::uint32_t kHeapAnswerOffset = 8;  // in the first line of credit
constexpr std::uint32_t kMaxSlotBytes = (1 << 26) + 2 * kLineBytes;
constexpr std::uint32_t kGivenBackOffset = 16;  // in each line of credit: a byte for each slot
static_assert(kGivenBackOffset + Trays::kMostSlots <= kLineBytes);
// Of a mailbox, at most: small slots, lines of credit, headers, and what the page rounds up.
constexpr std::size_t kSmallPartBytes = 8192;
constexpr std::uint32_t kMaxSlotCount = Trays::kMostSlots;

// Slots start on a cache line of their own, which is the header's; in another one is room for what
// sends and receives put before their bytes.
std::uint32_t with_header(std::uint32_t payload_bytes) {
    return (payload_bytes + kLineBytes - 1) / kLineBytes * kLineBytes + 2 * kLineBytes;
}

std::uint32_t slot_bytes(const LaneGeometry& geometry, int lane) {
    return geometry.is_flagged(lane) ? geometry.flagged_slot_bytes : geometry.slotted_slot_bytes;
}

std::uint32_t slot_count(const LaneGeometry& geometry, int lane) {
    return geometry.is_flagged(lane) ? geometry.flagged_slot_count : geometry.slotted_slot_count;
}

}  // namespace

Result<LaneGeometry> choose_geometry(int max_local_ranks, const GeometryWishes& wishes,
                                     const SlotLimits& limits) {
    LaneGeometry geometry;
    if (wishes.flagged_lanes > 0) geometry.flagged_lanes = wishes.flagged_lanes;
    if (wishes.slotted_lanes > 0) geometry.slotted_lanes = wishes.slotted_lanes;
    if (wishes.slotted_slot_count > 0) geometry.slotted_slot_count = wishes.slotted_slot_count;

    std::uint32_t payload_bytes = wishes.slotted_slot_bytes;
    if (payload_bytes == 0) {
        const std::size_t peers = static_cast<std::size_t>(std::max(max_local_ranks - 1, 1));
        const std::size_t large_lanes = static_cast<std::size_t>(geometry.slotted_lanes) + 1;
        const std::size_t slots = peers * large_lanes * geometry.slotted_slot_count +
                                  (max_local_ranks > 2 ? kOutboxSlots : 0);
        const std::size_t small_bytes = peers * kSmallPartBytes;
        const std::size_t left =
            limits.inbound_bytes > small_bytes ? limits.inbound_bytes - small_bytes : 0;
        payload_bytes = std::bit_floor(static_cast<std::uint32_t>(left / slots) | 1u);
        payload_bytes = std::clamp(payload_bytes, kMinSlottedBytes, limits.payload_bytes);
    }
    geometry.slotted_slot_bytes = with_header(payload_bytes);
    XCCL_TRY(check_geometry(geometry));
    return geometry;
}

Status check_geometry(const LaneGeometry& geometry) {
    if (geometry.flagged_lanes < 1 || geometry.slotted_lanes < 1 ||
        geometry.lane_count() > kMaxLanes) {
        return invalid_argument(
            "{} lanes for small and {} for large messages: each must be at least 1, and their sum "
            "at most {}",
            geometry.flagged_lanes, geometry.slotted_lanes, kMaxLanes - 1);
    }
    for (const int lane : {0, geometry.point_to_point_lane()}) {
        const std::uint32_t bytes = slot_bytes(geometry, lane);
        const std::uint32_t count = slot_count(geometry, lane);
        if (bytes % kLineBytes != 0 || bytes < 2 * kLineBytes || bytes > kMaxSlotBytes) {
            return invalid_argument(
                "slots of {} bytes: must be a multiple of {} between {} and {}, header included",
                bytes, kLineBytes, 2 * kLineBytes, kMaxSlotBytes);
        }
        if (!std::has_single_bit(count) || count > kMaxSlotCount) {
            return invalid_argument("{} slots per lane: must be a power of two, at most {}", count,
                                    kMaxSlotCount);
        }
    }
    return ok_status();
}

std::uint32_t payload_bytes(const LaneGeometry& geometry, int lane) {
    const std::size_t offset =
        geometry.is_flagged(lane) ? sizeof(SlotHeader) : kTrayOffset<HostMemory>;
    return slot_bytes(geometry, lane) - static_cast<std::uint32_t>(offset);
}

std::size_t lane_bytes(const LaneGeometry& geometry, int lane) {
    return static_cast<std::size_t>(slot_bytes(geometry, lane)) * slot_count(geometry, lane);
}

std::size_t mailbox_bytes(const LaneGeometry& geometry) {
    const std::size_t lanes = static_cast<std::size_t>(geometry.lane_count());
    const std::size_t flagged = static_cast<std::size_t>(geometry.flagged_lanes);
    return lanes * kLineBytes + flagged * lane_bytes(geometry, 0) +
           (lanes - flagged) * lane_bytes(geometry, geometry.point_to_point_lane());
}

OutboxView outbox_in(std::byte* block, const LaneGeometry& geometry) {
    return {.slots = block,
            .slot_count = kOutboxSlots,
            .slot_bytes = payload_bytes(geometry, geometry.point_to_point_lane())};
}

std::size_t outbox_bytes(const LaneGeometry& geometry) {
    return std::size_t{kOutboxSlots} * payload_bytes(geometry, geometry.point_to_point_lane());
}

MailboxView mailbox_in(std::byte* block, const LaneGeometry& geometry, int lane) {
    std::byte* slots = block + static_cast<std::size_t>(geometry.lane_count()) * kLineBytes;
    for (int before = 0; before < lane; ++before) slots += lane_bytes(geometry, before);
    std::byte* credit = block + static_cast<std::size_t>(lane) * kLineBytes;
    return {.slots = slots,
            .consumed = reinterpret_cast<std::atomic<std::uint32_t>*>(credit),
            .given_back = geometry.is_flagged(lane)
                              ? nullptr
                              : reinterpret_cast<std::uint8_t*>(credit + kGivenBackOffset),
            .slot_count = slot_count(geometry, lane),
            .slot_bytes = slot_bytes(geometry, lane)};
}

std::atomic<HeapAnswer>* heap_answer_in(std::byte* block) {
    return reinterpret_cast<std::atomic<HeapAnswer>*>(block + kHeapAnswerOffset);
}

}  // namespace xccl
