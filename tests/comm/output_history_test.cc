// Goal: an output counts as gone from the caches when calls have touched more than these hold since
// it was last used, and no sooner.
// Method: sequences of calls whose outputs are places in one array.
#include "comm/output_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace xccl {
namespace {

constexpr std::uint64_t kCached = 1000;

class OutputHistoryTest : public testing::Test {
  protected:
    bool call(std::size_t place, std::uint64_t bytes) {
        return history_.has_left(&memory_[place], bytes);
    }

  private:
    std::vector<std::byte> memory_ = std::vector<std::byte>(1000);
    OutputHistory history_{kCached};
};

TEST_F(OutputHistoryTest, TheSameOutputAgainAndAgainStays) {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(call(7, kCached)) << i;
}

TEST_F(OutputHistoryTest, ACallThatTouchesMoreThanTheCachesHoldLeaves) {
    EXPECT_TRUE(call(7, kCached + 1));
    EXPECT_TRUE(call(7, kCached + 1));
    EXPECT_FALSE(call(7, kCached));
}

TEST_F(OutputHistoryTest, OutputsThatTakeTurnsStayWhileTheyFitTogether) {
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(call(static_cast<std::size_t>(i) % 5, 200)) << i;
}

TEST_F(OutputHistoryTest, OutputsThatTakeTurnsLeaveIfTheyDoNotFit) {
    for (int i = 0; i < 6; ++i) call(static_cast<std::size_t>(i), 200);
    for (int i = 6; i < 100; ++i) EXPECT_TRUE(call(static_cast<std::size_t>(i) % 6, 200)) << i;
}

TEST_F(OutputHistoryTest, OneThatWasNeverSeenStaysUntilMuchWasTouched) {
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(call(static_cast<std::size_t>(i), 200)) << i;
    for (int i = 5; i < 9; ++i) EXPECT_TRUE(call(static_cast<std::size_t>(i), 200)) << i;
}

// More outputs than are remembered: what is not known any more counts from the oldest that is.
TEST_F(OutputHistoryTest, OneThatIsForgottenCountsFromTheOldest) {
    const std::size_t outputs = OutputHistory::kDepth + 10;
    for (std::size_t i = 0; i < 3 * outputs; ++i) {
        const std::uint64_t since_oldest = std::min(i + 1, OutputHistory::kDepth);
        EXPECT_EQ(call(i % outputs, 20), since_oldest * 20 > kCached) << i;
    }
}

}  // namespace
}  // namespace xccl
