// Goal: a message with a tray arrives whole whatever the two ends do, who has credit has a tray,
// and ends that exchange messages write where they have just read.
#include "transport/trays.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <vector>

#include "transport/geometry.h"

namespace xccl::testing {
namespace {

constexpr int kTrayLane = 1;
constexpr LaneGeometry kTrayGeometry = {.flagged_slot_bytes = 128,
                                        .flagged_slot_count = 4,
                                        .slotted_slot_bytes = 256,
                                        .slotted_slot_count = 4,
                                        .flagged_lanes = 1,
                                        .slotted_lanes = 1};

// Both directions of a lane, and both ends of it.
class TrayPair {
  public:
    TrayPair() {
        for (auto& block : memory_) block.resize(mailbox_bytes(kTrayGeometry) / sizeof(Line) + 1);
        for (int end = 0; end < 2; ++end) {
            senders_[end] = Sender(view(end));
            receivers_[end] = Receiver(view(1 - end));
            senders_[end].share_trays(&receivers_[end], end == 0);
        }
    }
    Sender& sender(int end) { return senders_[end]; }
    Receiver& receiver(int end) { return receivers_[end]; }

    // Sends one message full of `mark`, and returns where its payload lies; null without credit.
    std::byte* send(int end, std::uint8_t mark) {
        std::byte* const tray = sender(end).reserve();
        if (tray == nullptr) return nullptr;
        std::memset(tray, mark, payload_bytes(kTrayGeometry, kTrayLane));
        sender(end).publish(payload_bytes(kTrayGeometry, kTrayLane), mark);
        return tray;
    }
    // Whether the next message is there, all of it, and is that of `mark`; releases it.
    ::testing::AssertionResult receive(int end, std::uint8_t mark) {
        Message message;
        if (!receiver(end).peek(&message)) return ::testing::AssertionFailure() << "no message";
        for (std::uint32_t i = 0; i < message.byte_count; ++i) {
            if (message.payload[i] != std::byte{mark}) {
                return ::testing::AssertionFailure() << "byte " << i << " was overwritten";
            }
        }
        receiver(end).release();
        return ::testing::AssertionSuccess();
    }

  private:
    struct alignas(64) Line {
        std::byte bytes[64];
    };
    // From `end` to the other one.
    MailboxView view(int end) {
        return mailbox_in(memory_[end].data()->bytes, kTrayGeometry, kTrayLane);
    }

    std::vector<Line> memory_[2];
    Sender senders_[2];
    Receiver receivers_[2];
};

TEST(Trays, KeepMessagesWholeWhateverTheEndsDo) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        std::mt19937 random(seed);
        TrayPair pair;
        std::deque<std::uint8_t> under_way[2];  // from that end
        std::uint8_t mark = 0;
        const unsigned bias = random() % 7;  // one end may send more
        for (int i = 0; i < 2000; ++i) {
            const int end = random() % 8 <= bias ? 0 : 1;
            if (random() % 2 == 0) {
                const bool sent = pair.send(end, ++mark) != nullptr;
                ASSERT_EQ(sent, under_way[end].size() < kTrayGeometry.slotted_slot_count);
                if (sent) under_way[end].push_back(mark);
            } else if (!under_way[1 - end].empty()) {
                if (random() % 2 == 0) pair.receiver(end).keep();
                ASSERT_TRUE(pair.receive(end, under_way[1 - end].front())) << "seed " << seed;
                under_way[1 - end].pop_front();
            }
        }
    }
}

TEST(Trays, AreUsedAgainByWhoHasJustReadThem) {
    TrayPair pair;
    std::byte* from_first = pair.send(0, 1);
    std::byte* from_second = pair.send(1, 2);
    for (std::uint8_t mark = 3; mark < 100; mark += 2) {
        ASSERT_TRUE(pair.receive(0, static_cast<std::uint8_t>(mark - 1)));
        ASSERT_TRUE(pair.receive(1, static_cast<std::uint8_t>(mark - 2)));
        std::byte* const next_of_first = pair.send(0, mark);
        std::byte* const next_of_second = pair.send(1, static_cast<std::uint8_t>(mark + 1));
        EXPECT_EQ(next_of_first, from_second) << int{mark};
        EXPECT_EQ(next_of_second, from_first) << int{mark};
        from_first = next_of_first;
        from_second = next_of_second;
    }
}

TEST(Trays, HoldTheAnswerInThePlaceOfWhatItAnswers) {
    TrayPair pair;
    for (std::uint8_t mark = 0; mark < 100; ++mark) {
        const std::byte* const question = pair.send(1, mark);
        Message message;
        ASSERT_TRUE(pair.receiver(0).peek(&message));
        pair.receiver(0).keep();
        EXPECT_EQ(pair.receiver(0).keeps(), mark > 0) << "nothing was sent yet";
        const std::byte* const answer = pair.send(0, mark);
        EXPECT_EQ(answer == question, mark > 0) << int{mark};
        pair.receiver(0).release();
        ASSERT_TRUE(pair.receive(1, mark));
    }
}

TEST(Trays, ComeBackToWhoAloneSends) {
    TrayPair pair;
    std::set<std::byte*> used;
    for (std::uint8_t mark = 1; mark < 100; ++mark) {
        used.insert(pair.send(0, mark));
        EXPECT_FALSE(pair.receiver(1).keeps());
        ASSERT_TRUE(pair.receive(1, mark));
    }
    EXPECT_EQ(used.size(), kTrayGeometry.slotted_slot_count);
}

TEST(Trays, OfTheNextMessageAreKnownWhereMessagesGoOneWay) {
    TrayPair pair;
    const int slot_count = static_cast<int>(kTrayGeometry.slotted_slot_count);
    std::uint8_t mark = 0;
    for (int i = 0; i < 3 * slot_count; ++i) {
        const std::byte* const known = pair.sender(0).payload_to_take();
        std::byte* const tray = pair.send(0, ++mark);
        EXPECT_EQ(known, i < slot_count ? nullptr : tray) << i;
        ASSERT_TRUE(pair.receive(1, mark));
    }
    // Not while the reader has them all.
    for (int i = 0; i < slot_count; ++i) ASSERT_NE(pair.send(0, 7), nullptr);
    EXPECT_EQ(pair.sender(0).payload_to_take(), nullptr);
    ASSERT_TRUE(pair.receive(1, 7));
    EXPECT_NE(pair.sender(0).payload_to_take(), nullptr);
    // Nor where something has come back, whose tray is the next one.
    ASSERT_NE(pair.send(1, 9), nullptr);
    ASSERT_TRUE(pair.receive(0, 9));
    EXPECT_EQ(pair.sender(0).payload_to_take(), nullptr);
}

TEST(Trays, StayWithReferences) {
    TrayPair pair;
    ASSERT_NE(pair.sender(0).reserve(), nullptr);
    const std::uint64_t place = 0x1234;
    std::memcpy(pair.sender(0).reference(), &place, sizeof place);
    pair.sender(0).publish(4096, 1, MessageKind::kReference);
    Message message;
    ASSERT_TRUE(pair.receiver(1).peek(&message));
    EXPECT_EQ(message.kind, MessageKind::kReference);
    EXPECT_EQ(std::memcmp(message.payload, &place, sizeof place), 0);
    pair.receiver(1).release();
    ASSERT_NE(pair.send(1, 7), nullptr);
    EXPECT_TRUE(pair.receive(0, 7));
}

TEST(Trays, NumbersFromThePeerAreThoseOfTrays) {
    std::byte first[64];
    std::byte second[64];
    const Trays trays({first, second}, 0, 2, 32, 16);
    const std::set<const std::byte*> all = {first + 16, first + 48, second + 16, second + 48};
    for (std::uint32_t number = 0; number < 256; ++number) {
        EXPECT_EQ(all.count(trays.at(number)), 1u) << number;
    }
}

}  // namespace
}  // namespace xccl::testing
