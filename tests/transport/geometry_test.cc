// Goal: slots shrink as ranks become more, within the budget, and nonsense is refused.
// Method: plain arithmetic; mailboxes are laid out over a block of the promised size.
#include "transport/geometry.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace xccl {
namespace {

TEST(Geometry, InboundMailboxesStayWithinTheBudget) {
    for (const SlotLimits& limits : {kOneHost, kSeveralHosts}) {
        std::uint32_t last = limits.payload_bytes;
        for (int ranks = 1; ranks <= 64; ++ranks) {
            const LaneGeometry geometry = *choose_geometry(ranks, {}, limits);
            const std::uint32_t payload = geometry.slotted_slot_bytes - 128;
            EXPECT_TRUE(std::has_single_bit(payload));
            EXPECT_GE(payload, kMinSlottedBytes);
            EXPECT_LE(payload, last) << "more ranks, larger slots";
            last = payload;
            const std::size_t small = 8192;  // flagged slots, credit lines and headers of a pair
            EXPECT_LE((ranks - 1) * mailbox_bytes(geometry),
                      limits.inbound_bytes + (ranks - 1) * small);
        }
    }
}

TEST(Geometry, SlotsAreLargestWhereAHostHasOneRank) {
    EXPECT_EQ(choose_geometry(1)->slotted_slot_bytes, kOneHost.payload_bytes + 128);
    EXPECT_EQ(choose_geometry(1, {}, kSeveralHosts)->slotted_slot_bytes,
              kSeveralHosts.payload_bytes + 128);
}

TEST(Geometry, TwoRanksShareAtMostEightMebibytes) {
    for (const SlotLimits& limits : {kOneHost, kSeveralHosts})
        EXPECT_LE(2 * mailbox_bytes(*choose_geometry(2, {}, limits)), 8u << 20);
}

// Until slots have their least size; with one lane, too, which leaves room for larger ones.
TEST(Geometry, ARankOfManyTakesAtMostFourMebibytes) {
    for (const int lanes : {0, 1}) {
        for (int ranks = 3; ranks <= 40; ++ranks) {
            const LaneGeometry geometry = *choose_geometry(ranks, {.slotted_lanes = lanes});
            const std::size_t pair_bytes = (mailbox_bytes(geometry) + 4095) / 4096 * 4096;
            EXPECT_LE((ranks - 1) * pair_bytes + outbox_bytes(geometry), 4u << 20)
                << ranks << " ranks, lanes asked for: " << lanes;
        }
    }
}

TEST(Geometry, MailboxesOfABlockDoNotOverlap) {
    const LaneGeometry geometry = *choose_geometry(8, {.flagged_lanes = 3, .slotted_lanes = 4});
    std::vector<std::byte> memory(mailbox_bytes(geometry) + 64);
    auto* block = memory.data() + 64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64;
    const std::byte* free_from = block + geometry.lane_count() * 64;
    for (int lane = 0; lane < geometry.lane_count(); ++lane) {
        const MailboxView view = mailbox_in(block, geometry, lane);
        EXPECT_EQ(view.slots, free_from);
        EXPECT_EQ(reinterpret_cast<std::byte*>(view.consumed), block + lane * 64);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.slots) % 64, 0u);
        free_from += lane_bytes(geometry, lane);
    }
    EXPECT_EQ(free_from, block + mailbox_bytes(geometry));
}

TEST(Geometry, WishesAreGrantedOrRefused) {
    const LaneGeometry geometry = *choose_geometry(
        64, {.slotted_slot_bytes = 1 << 20, .slotted_slot_count = 8, .slotted_lanes = 4});
    EXPECT_EQ(geometry.slotted_slot_bytes, (1u << 20) + 128);
    EXPECT_EQ(geometry.slotted_slot_count, 8u);
    EXPECT_EQ(geometry.slotted_lanes, 4);
    EXPECT_FALSE(choose_geometry(2, {.slotted_slot_count = 3}).ok());
    EXPECT_EQ(choose_geometry(2, {.slotted_slot_bytes = 1000})->slotted_slot_bytes, 1024u + 128);
    EXPECT_FALSE(choose_geometry(2, {.slotted_lanes = 16}).ok());
    EXPECT_TRUE(choose_geometry(2, {.slotted_slot_bytes = 1u << 26}).ok());  // XCCL_SLOT_BYTES
    EXPECT_FALSE(choose_geometry(2, {.slotted_slot_bytes = 1u << 30}).ok());
}

}  // namespace
}  // namespace xccl
