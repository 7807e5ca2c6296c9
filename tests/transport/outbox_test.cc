// Goal: a slot of an outbox is written again only when everybody has released what names it.
// Method: two mailboxes in this process; messages are published, released in both orders, and the
// outbox is asked for slots in between.
#include "transport/outbox.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "transport/geometry.h"

namespace xccl {
namespace {

constexpr LaneGeometry kOutboxGeometry = {.flagged_slot_bytes = 128,
                                          .flagged_slot_count = 4,
                                          .slotted_slot_bytes = 256,
                                          .slotted_slot_count = 4,
                                          .flagged_lanes = 1,
                                          .slotted_lanes = 1};
constexpr int kOutboxLane = 1;

struct alignas(64) OutboxLine {
    std::byte bytes[64];
};

// A rank and two that read what it sends.
class OutboxRank {
  public:
    OutboxRank() : slots_(outbox_bytes(kOutboxGeometry) / sizeof(OutboxLine)) {
        for (int reader = 0; reader < 2; ++reader) {
            mailboxes_[reader].resize(mailbox_bytes(kOutboxGeometry) / sizeof(OutboxLine) + 1);
            auto* const block = reinterpret_cast<std::byte*>(mailboxes_[reader].data());
            const MailboxView view = mailbox_in(block, kOutboxGeometry, kOutboxLane);
            senders_[reader] = Sender(view);
            receivers_[reader] = Receiver(view);
        }
        outbox_ = Outbox(view());
    }

    OutboxView view() {
        return outbox_in(reinterpret_cast<std::byte*>(slots_.data()), kOutboxGeometry);
    }
    Outbox& outbox() { return outbox_; }

    // Sends what was reserved to both.
    void send() {
        for (Sender& sender : senders_) {
            ASSERT_NE(sender.reserve(), nullptr);
            sender.publish(64, 1, MessageKind::kShared);
            outbox_.sent(&sender);
        }
    }
    void release(int reader) {
        Message message;
        ASSERT_TRUE(receivers_[reader].peek(&message));
        EXPECT_EQ(message.kind, MessageKind::kShared);
        receivers_[reader].release();
    }

  private:
    std::vector<OutboxLine> slots_;
    std::array<std::vector<OutboxLine>, 2> mailboxes_;
    std::array<Sender, 2> senders_;
    std::array<Receiver, 2> receivers_;
    Outbox outbox_;
};

TEST(Outbox, SlotsAreTakenInTurnAndHoldALargePayload) {
    OutboxRank rank;
    for (std::uint32_t turn = 0; turn < 3 * kOutboxSlots; ++turn) {
        std::byte* const slot = rank.outbox().reserve();
        ASSERT_NE(slot, nullptr);
        EXPECT_EQ(rank.outbox().number(), turn % kOutboxSlots);
        EXPECT_EQ(slot, rank.view().at(rank.outbox().number()));
    }
    EXPECT_EQ(rank.view().slot_bytes, payload_bytes(kOutboxGeometry, kOutboxLane));
    EXPECT_EQ(rank.view().at(kOutboxSlots), nullptr) << "a number that no slot has";
}

TEST(Outbox, ASlotIsKeptUntilTheLastReaderHasReleasedIt) {
    for (const int first : {0, 1}) {
        OutboxRank rank;
        ASSERT_NE(rank.outbox().reserve(), nullptr);
        rank.send();
        for (std::uint32_t other = 1; other < kOutboxSlots; ++other) {
            ASSERT_NE(rank.outbox().reserve(), nullptr);
        }
        EXPECT_EQ(rank.outbox().reserve(), nullptr) << "nobody has read it";
        rank.release(first);
        EXPECT_EQ(rank.outbox().reserve(), nullptr) << "one still reads it";
        rank.release(1 - first);
        EXPECT_NE(rank.outbox().reserve(), nullptr);
        EXPECT_EQ(rank.outbox().number(), 0u);
    }
}

TEST(Outbox, WhoHasNoneGetsNoSlot) {
    Outbox none;
    EXPECT_EQ(none.reserve(), nullptr);
    EXPECT_EQ(OutboxView{}.at(0), nullptr);
}

}  // namespace
}  // namespace xccl
