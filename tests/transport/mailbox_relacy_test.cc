// Goal: the mailbox, with trays and without, and the failure record are right on every machine that
// C++ can run on, and each of their six acquires and releases is needed.
// Method: the very templates, under the memory-model checker Relacy. One end sends a few messages
// through a ring of two slots, the sequence numbers wrap around in the middle, and in some runs a
// third thread ends it all at any moment. With trays both ends send, each the first one alone, then
// one for each that it receives. Payloads, lengths and the failure's fields are plain memory, in
// which the checker sees every race. Then the same with one order taken away: the checker must
// complain.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "transport/failure_record.h"
#include "transport/mailbox.h"
#include "transport/relacy_memory.h"

namespace xccl::testing {
namespace {

constexpr unsigned kIterations = 200'000;
constexpr std::uint32_t kSlots = 2;
constexpr std::uint32_t kMessages = 4;
constexpr std::uint32_t kStart = 0xffff'fffe;  // the second message has sequence number 0
constexpr std::uint32_t kSignature = 0x2a;

template <Weakened kWeakened, bool kAborted>
struct MailboxSuite : rl::test_suite<MailboxSuite<kWeakened, kAborted>, kAborted ? 3 : 2> {
    using Memory = RelacyMemory<kWeakened>;
    struct Slot {
        BasicSlotHeader<Memory> header;
        RelacyPlain<std::uint64_t> payload;
    };

    Slot slots[kSlots];
    RelacyAtomic<std::uint32_t> consumed{kStart};
    BasicFailureRecord<Memory> failure;

    BasicMailboxView<Memory> view() {
        return {reinterpret_cast<std::byte*>(slots), &consumed, nullptr, kSlots, sizeof(Slot)};
    }
    // The flags that the last messages before the start have left.
    void before() {
        for (std::uint32_t back = 0; back < kSlots; ++back) {
            view().publish(kStart - back, 0, kSignature);
        }
    }
    void thread(unsigned index) {
        if (index == 0) return send();
        if (index == 1) return receive();
        RL_ASSERT(failure.publish({.culprit_rank = 7, .code = xcclRemoteError, .text = "lost"}));
    }
    // Another thread's turn; true if the wait is over because of a failure.
    bool wait() {
        rl::yield(1, $);
        const auto told = failure.read();
        if (told) RL_ASSERT(told->culprit_rank == 7 && told->text == "lost");
        return told.has_value();
    }
    void send() {
        BasicSender<Memory> sender(view(), kStart);
        for (std::uint32_t i = 0; i < kMessages; ++i) {
            std::byte* slot = sender.reserve();
            while (slot == nullptr) {
                if (wait()) return;
                slot = sender.reserve();
            }
            *reinterpret_cast<RelacyPlain<std::uint64_t>*>(slot) = 100 + i;
            sender.publish(8 + i, kSignature + i);
        }
    }
    void receive() {
        BasicReceiver<Memory> receiver(view(), kStart);
        for (std::uint32_t i = 0; i < kMessages; ++i) {
            Message message;
            while (!receiver.peek(&message)) {
                if (wait()) return;
            }
            RL_ASSERT(message.byte_count == 8 + i && message.signature == kSignature + i);
            RL_ASSERT(*reinterpret_cast<const RelacyPlain<std::uint64_t>*>(message.payload) ==
                      100 + i);
            receiver.release();
        }
    }
};

// `kAnswers`: each next message is an answer to the one at hand, in its place.
template <Weakened kWeakened, bool kAnswers>
struct TraysSuite : rl::test_suite<TraysSuite<kWeakened, kAnswers>, 2> {
    using Memory = RelacyMemory<kWeakened>;
    using Payload = RelacyPlain<std::uint64_t>;
    struct Slot {
        alignas(64) BasicSlotHeader<Memory> header;
        alignas(64) Payload payload;
    };
    static_assert(offsetof(Slot, payload) == kTrayOffset<Memory>);
    struct Direction {
        Slot slots[kSlots];
        RelacyPlain<std::uint8_t> given_back[kSlots];
        RelacyAtomic<std::uint32_t> consumed{kStart};
        BasicMailboxView<Memory> view() {
            return {reinterpret_cast<std::byte*>(slots), &consumed, given_back, kSlots,
                    sizeof(Slot)};
        }
    };

    Direction directions[2];

    void before() {
        for (Direction& direction : directions) {
            for (std::uint32_t back = 0; back < kSlots; ++back) {
                direction.view().publish(kStart - back, 0, kSignature);
            }
        }
    }
    void thread(unsigned index) {
        BasicSender<Memory> sender(directions[index].view(), kStart);
        BasicReceiver<Memory> receiver(directions[1 - index].view(), kStart);
        sender.share_trays(&receiver, index == 0);
        send(&sender, 0);
        for (std::uint32_t i = 0; i < kMessages; ++i) {
            const bool is_last = i + 1 == kMessages;
            if (!kAnswers && !is_last) send(&sender, i + 1);
            receive(receiver, i);
            if (kAnswers && !is_last) {
                receiver.keep();
                send(&sender, i + 1);
            }
            receiver.release();
        }
    }
    void send(BasicSender<Memory>* sender, std::uint32_t i) {
        std::byte* tray = sender->reserve();
        while (tray == nullptr) {
            rl::yield(1, $);
            tray = sender->reserve();
        }
        *reinterpret_cast<Payload*>(tray) = 100 + i;
        sender->publish(8 + i, kSignature + i);
    }
    void receive(const BasicReceiver<Memory>& receiver, std::uint32_t i) {
        Message message;
        while (!receiver.peek(&message)) rl::yield(1, $);
        RL_ASSERT(message.byte_count == 8 + i && message.signature == kSignature + i);
        RL_ASSERT(*reinterpret_cast<const Payload*>(message.payload) == 100 + i);
    }
};

template <Weakened kWeakened, bool kAborted>
rl::test_result_e check(std::string* report) {
    return check_memory_model<MailboxSuite<kWeakened, kAborted>>(kIterations, report);
}

TEST(MailboxUnderRelacy, DeliversEveryMessageOnce) {
    std::string report;
    EXPECT_EQ((check<Weakened::kNothing, false>(&report)), rl::test_result_success) << report;
}

TEST(MailboxUnderRelacy, EndsWhenAborted) {
    std::string report;
    EXPECT_EQ((check<Weakened::kNothing, true>(&report)), rl::test_result_success) << report;
}

template <Weakened kWeakened, bool kAnswers>
rl::test_result_e check_trays(std::string* report) {
    return check_memory_model<TraysSuite<kWeakened, kAnswers>>(kIterations, report);
}

TEST(TraysUnderRelacy, DeliverEveryMessageOnce) {
    std::string report;
    EXPECT_EQ((check_trays<Weakened::kNothing, false>(&report)), rl::test_result_success) << report;
}

TEST(TraysUnderRelacy, DeliverAnswersThatTakeThePlaceOfWhatTheyAnswer) {
    std::string report;
    EXPECT_EQ((check_trays<Weakened::kNothing, true>(&report)), rl::test_result_success) << report;
}

template <Weakened kWeakened>
void expect_race_of_trays() {
    std::string report;
    EXPECT_EQ((check_trays<kWeakened, false>(&report)), rl::test_result_data_race) << report;
}

TEST(TraysUnderRelacy, NeedEachOfTheMailboxsOrders) {
    expect_race_of_trays<Weakened::kFlagStore>();
    expect_race_of_trays<Weakened::kFlagLoad>();
    expect_race_of_trays<Weakened::kConsumedStore>();
    expect_race_of_trays<Weakened::kConsumedLoad>();
}

template <Weakened kWeakened, bool kAborted>
void expect_race() {
    std::string report;
    EXPECT_EQ((check<kWeakened, kAborted>(&report)), rl::test_result_data_race) << report;
}

TEST(MailboxUnderRelacy, NeedsEachOfItsOrders) {
    expect_race<Weakened::kFlagStore, false>();
    expect_race<Weakened::kFlagLoad, false>();
    expect_race<Weakened::kConsumedStore, false>();
    expect_race<Weakened::kConsumedLoad, false>();
}

TEST(FailureRecordUnderRelacy, NeedsEachOfItsOrders) {
    expect_race<Weakened::kFailureStore, true>();
    expect_race<Weakened::kFailureLoad, true>();
}

}  // namespace
}  // namespace xccl::testing
