// Goal: equal expressions are equal numbers, different ones are not, and the sum of hashes counts
// contributions. Method: the same value built in every order that must, or must not, be the same.
#include "schedule/expressions.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace xccl {
namespace {

std::vector<ExpressionId> leaves(const ExpressionTable& table, int count, std::uint32_t label = 0) {
    std::vector<ExpressionId> all;
    for (int rank = 0; rank < count; ++rank) all.push_back(table.leaf(rank, label));
    return all;
}

TEST(Expressions, CombiningIsCommutativeAndNothingElse) {
    ExpressionTable table(3, 1);
    const auto x = leaves(table, 3);
    EXPECT_EQ(table.combine(x[0], x[1]), table.combine(x[1], x[0]));
    EXPECT_EQ(table.combine(table.combine(x[0], x[1]), x[2]),
              table.combine(x[2], table.combine(x[1], x[0])));
    EXPECT_NE(table.combine(table.combine(x[0], x[1]), x[2]),
              table.combine(x[0], table.combine(x[1], x[2])));
}

TEST(Expressions, LeavesOfRanksAndLabelsAreAllDifferent) {
    const ExpressionTable table(5, 7);
    std::set<ExpressionId> seen = {kUndefined};
    for (std::uint32_t label = 0; label < 7; ++label) {
        for (ExpressionId leaf : leaves(table, 5, label)) EXPECT_TRUE(seen.insert(leaf).second);
    }
}

TEST(Expressions, RoundingShowsOnceAndNotOnLeaves) {
    ExpressionTable table(2, 1);
    const auto x = leaves(table, 2);
    EXPECT_EQ(table.rounded(x[0]), x[0]);
    const ExpressionId sum = table.combine(x[0], x[1]);
    EXPECT_NE(table.rounded(sum), sum);
    EXPECT_EQ(table.rounded(table.rounded(sum)), table.rounded(sum));
    EXPECT_EQ(table.print(table.rounded(sum)), "r(x0 x1)");
}

TEST(Expressions, TheCanonicalTreeSplitsAtTheLargestPowerOfTwo) {
    const char* const expected[] = {"x0",
                                    "(x0 x1)",
                                    "((x0 x1) x2)",
                                    "((x0 x1) (x2 x3))",
                                    "(((x0 x1) (x2 x3)) x4)",
                                    "(((x0 x1) (x2 x3)) (x4 x5))",
                                    "(((x0 x1) (x2 x3)) ((x4 x5) x6))"};
    for (int n = 1; n <= 7; ++n) {
        ExpressionTable table(n, 1);
        EXPECT_EQ(table.print(table.canonical(0, Rounding::kNone)), expected[n - 1]);
    }
    ExpressionTable table(3, 1);
    EXPECT_EQ(table.print(table.canonical(0, Rounding::kAtOutput)), "r((x0 x1) x2)");
}

// Whoever counts only ranks, or only how many they are, takes one of these for all of them.
TEST(Expressions, ContributionsTellMissingAndDoubledOnes) {
    ExpressionTable table(4, 2);
    const auto x = leaves(table, 4);
    const auto y = leaves(table, 4, 1);
    const auto sum = [&](std::vector<ExpressionId> terms) {
        return table.contributions(table.combine_all(terms));
    };
    EXPECT_EQ(sum({x[3], x[1], x[0], x[2]}), table.of_all_ranks(0));
    EXPECT_FALSE(sum({x[0], x[1], x[2]}) == table.of_all_ranks(0));
    EXPECT_FALSE(sum({x[0], x[1], x[2], x[3], x[0]}) == table.of_all_ranks(0));
    EXPECT_FALSE(sum({x[0], x[0], x[2], x[3]}) == table.of_all_ranks(0));
    EXPECT_FALSE(sum({x[0], x[1], x[2], y[3]}) == table.of_all_ranks(0));
    EXPECT_EQ(sum({y[0], y[1], y[2], y[3]}), table.of_all_ranks(1));
}

TEST(Expressions, CoverageTakesContributionsAsOftenAsTheyCome) {
    ExpressionTable table(70, 1);  // more than one word of a set
    const auto x = leaves(table, 70);
    EXPECT_TRUE(table.covers_all_ranks(table.combine(table.combine_all(x), x[3])));
    EXPECT_FALSE(table.covers_all_ranks(table.combine_all(std::span(x).first(69))));
    ExpressionTable alone(1, 1);
    EXPECT_TRUE(alone.covers_all_ranks(alone.leaf(0, 0)));
}

TEST(Expressions, GrowingKeepsWhatIsKnown) {
    constexpr int kRanks = 3000;
    ExpressionTable table(kRanks, 1);
    std::vector<ExpressionId> prefix = {table.leaf(0, 0)};
    for (int rank = 1; rank < kRanks; ++rank) {
        prefix.push_back(table.combine(prefix.back(), table.leaf(rank, 0)));
    }
    const std::size_t count = table.node_count();
    EXPECT_EQ(count, kRanks - 1u);
    for (int rank = 1; rank < kRanks; ++rank) {
        EXPECT_EQ(table.combine(table.leaf(rank, 0), prefix[rank - 1]), prefix[rank]);
    }
    EXPECT_EQ(table.node_count(), count);
}

}  // namespace
}  // namespace xccl
