// Goal: no wake-up is lost, by word or by socket, with one sleeper or several, and an unused
// doorbell costs its ringers nothing.
// Method: a publisher and a sleeper hand a turn back and forth; each sleep may last far longer than
// the whole test, so that one lost wake-up fails it.
// Covers: transport/barrier.cc transport/doorbell_socket.cc
#include "transport/doorbell.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "base/clock.h"
#include "transport/doorbell_socket.h"

namespace xccl {
namespace {

using std::chrono::seconds;

constexpr std::chrono::microseconds kForEver = seconds(100);

struct Turn {
    std::atomic<std::uint32_t> value{0};
    Doorbell bell;
    void give(std::uint32_t next) {
        value.store(next, std::memory_order_release);
        ring_if_sleeping(bell);
    }
    bool is(std::uint32_t wanted) const { return value.load(std::memory_order_acquire) >= wanted; }
};

class DoorbellReach : public testing::TestWithParam<BarrierReach> {};

TEST_P(DoorbellReach, NoWakeUpIsLost) {
    if (!enrol_in_barrier(GetParam())) GTEST_SKIP() << "the kernel has no membarrier";
    constexpr std::uint32_t kTurns = 20000;
    Turn ping, pong;
    const auto await = [&](Turn& turn, std::uint32_t wanted) {
        while (!turn.is(wanted)) {
            sleep_on(turn.bell, kForEver, GetParam(), true, [&] { return turn.is(wanted); });
        }
    };
    const auto start = Clock::now();
    std::thread other([&] {
        for (std::uint32_t i = 1; i <= kTurns; ++i) {
            await(ping, i);
            pong.give(i);
        }
    });
    for (std::uint32_t i = 1; i <= kTurns; ++i) {
        ping.give(i);
        await(pong, i);
    }
    other.join();
    EXPECT_LT(Clock::now() - start, kForEver);
    EXPECT_EQ(ping.bell.word.load(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Reaches, DoorbellReach,
                         testing::Values(BarrierReach::kProcess, BarrierReach::kHost),
                         [](const auto& info) {
                             return info.param == BarrierReach::kProcess ? "Process" : "Host";
                         });

TEST(Doorbell, WakesAllSleepersAndIsDisarmedAfterwards) {
    Turn turn;
    std::vector<std::thread> sleepers;
    for (int i = 0; i < 4; ++i) {
        sleepers.emplace_back([&] {
            while (!turn.is(1)) {
                sleep_on(turn.bell, kForEver, BarrierReach::kProcess, true,
                         [&] { return turn.is(1); });
            }
        });
    }
    while (turn.bell.word.load() < 4 * Doorbell::kOneSleeper) std::this_thread::yield();
    turn.give(1);
    for (auto& sleeper : sleepers) sleeper.join();
    EXPECT_EQ(turn.bell.word.load(), 0u);
}

TEST(Doorbell, ASleeperThatGivesUpLeavesTheOthersArmed) {
    Doorbell bell;
    arm(bell);
    const auto never = [] { return false; };
    EXPECT_FALSE(sleep_on(bell, std::chrono::microseconds(1), BarrierReach::kProcess, true, never));
    EXPECT_TRUE(bell.word.load() & Doorbell::kArmed);
    ring_if_sleeping(bell);
    EXPECT_FALSE(bell.word.load() & Doorbell::kArmed);
    disarm(bell);
    EXPECT_EQ(bell.word.load(), 0u);
}

TEST(Doorbell, DoesNotSleepWhenTheSecondLookFinds) {
    Doorbell bell;
    EXPECT_TRUE(sleep_on(bell, kForEver, BarrierReach::kProcess, true, [] { return true; }));
    EXPECT_EQ(bell.word.load(), 0u);
}

TEST(Doorbell, SleepsAreShortWherePublishersCannotBeReached) {
    Doorbell bell;
    sleep_on(bell, kForEver, BarrierReach::kProcess, false, [] { return false; });
}

TEST(DoorbellSocket, IsHeardByPoll) {
    Turn turn;
    auto socket = DoorbellSocket::open(turn.bell);
    ASSERT_TRUE(socket.ok()) << socket.status().text();
    std::thread other([&] {
        while (!(turn.bell.word.load() & Doorbell::kArmed)) std::this_thread::yield();
        turn.give(1);
    });
    while (!turn.is(1)) {
        sleep_on(turn.bell, *socket, -1, kForEver, BarrierReach::kProcess, true,
                 [&] { return turn.is(1); });
    }
    other.join();
}

TEST(DoorbellSocket, AnotherDescriptorWakesToo) {
    Doorbell bell;
    auto socket = DoorbellSocket::open(bell);
    ASSERT_TRUE(socket.ok());
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(write(ends[1], "x", 1), 1);
    sleep_on(bell, *socket, ends[0], kForEver, BarrierReach::kProcess, true, [] { return false; });
    EXPECT_EQ(bell.word.load(), 0u);
    close(ends[0]);
    close(ends[1]);
}

TEST(DoorbellSocket, RingingAnOwnerThatIsGoneDoesNothing) {
    Doorbell bell;
    { auto socket = DoorbellSocket::open(bell); }
    arm(bell);
    ring_if_sleeping(bell);
    EXPECT_EQ(bell.word.load(), Doorbell::kOneSleeper);
}

}  // namespace
}  // namespace xccl
