// Goal: runs cover a cyclic range in order and break only where they must. Method: all small ones.
#include "algorithms/cyclic_runs.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

TEST(CyclicRuns, BreakWhereTheNumbersWrapAndWhereAsked) {
    EXPECT_EQ(cyclic_runs(1, 3, 8), (std::vector<Cell>{work(1, 3)}));
    EXPECT_EQ(cyclic_runs(6, 4, 8), (std::vector<Cell>{work(6, 2), work(0, 2)}));
    EXPECT_EQ(cyclic_runs(6, 4, 8, {1}), (std::vector<Cell>{work(6, 1), work(7, 1), work(0, 2)}));
    EXPECT_EQ(cyclic_runs(6, 2, 8, {0, 2, 5, -1}), (std::vector<Cell>{work(6, 2)}));
    EXPECT_TRUE(cyclic_runs(3, 0, 8).empty());
}

TEST(CyclicRuns, CoverTheRange) {
    for (int n = 1; n <= 9; ++n) {
        for (int first = 0; first < n; ++first) {
            for (int count = 0; count <= n; ++count) {
                std::vector<int> covered, expected;
                for (const Cell& run : cyclic_runs(first, count, n, {2})) {
                    for (std::uint32_t i = 0; i < run.span; ++i) {
                        covered.push_back(static_cast<int>(run.chunk + i));
                    }
                }
                for (int i = 0; i < count; ++i) expected.push_back((first + i) % n);
                EXPECT_EQ(covered, expected);
            }
        }
    }
}

}  // namespace
}  // namespace xccl
