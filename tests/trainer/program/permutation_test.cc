// Goal: each index is hit once, orders of different keys differ, and the order is the same for
// ever.
#include "data/permutation.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

namespace xccl::trainer {
namespace {

std::vector<std::uint64_t> order(std::uint64_t count, std::uint64_t key) {
    const Permutation permutation(count, key);
    std::vector<std::uint64_t> values;
    for (std::uint64_t i = 0; i < count; ++i) values.push_back(permutation(i));
    return values;
}

TEST(Permutation, HitsEveryIndexOnce) {
    for (std::uint64_t count : {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 32761}) {
        for (std::uint64_t key : {0, 1, 77}) {
            const auto values = order(count, key);
            const std::set<std::uint64_t> distinct(values.begin(), values.end());
            ASSERT_EQ(distinct.size(), count) << count;
            ASSERT_EQ(*distinct.rbegin(), count - 1) << count;
        }
    }
}

TEST(Permutation, KeysGiveOtherOrders) {
    EXPECT_NE(order(1000, 1), order(1000, 2));
    std::vector<std::uint64_t> sorted(1000);
    std::iota(sorted.begin(), sorted.end(), 0);
    EXPECT_NE(order(1000, 1), sorted);
}

// A run that is resumed by another version must find the same order.
TEST(Permutation, IsTheSameForEver) {
    EXPECT_EQ(order(10, 1), (std::vector<std::uint64_t>{6, 7, 3, 2, 5, 8, 0, 1, 9, 4}));
}

// Neighbours in the order are unrelated in the text: their distances average about count / 3.
TEST(Permutation, SpreadsNeighbours) {
    constexpr std::uint64_t kCount = 10000;
    const auto values = order(kCount, 5);
    double distance = 0;
    for (std::uint64_t i = 1; i < kCount; ++i) {
        const auto a = static_cast<double>(values[i]), b = static_cast<double>(values[i - 1]);
        distance += a > b ? a - b : b - a;
    }
    EXPECT_NEAR(distance / kCount / kCount, 1.0 / 3, 0.02);
}

TEST(Permutation, LargeCounts) {
    const std::uint64_t count = (std::uint64_t{1} << 40) + 12345;
    const Permutation permutation(count, 3);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::uint64_t value = permutation(count - 1 - i);
        EXPECT_LT(value, count);
        seen.insert(value);
    }
    EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace xccl::trainer
