// Goal: whatever the number of ranks, no step combines too many, and scratch is what was promised.
// Method: the verbs for sizes around the limit; that the tree is canonical, registry_test.cc
// proves.
#include "algorithms/rank_order.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace xccl {
namespace {

constexpr int kBlock = static_cast<int>(kMaxReduceSources);

TEST(RankOrder, StepsStayWithinTheLimit) {
    for (int n : {1, 2, kBlock - 1, kBlock, kBlock + 1, 3 * kBlock, kBlock * kBlock}) {
        Schedule schedule = schedule_for({n / 2, n, 0, {}}, Contract::kAllReduce, 3);
        schedule.scratch_count = rank_order_scratch(n, 3);
        reduce_in_rank_order(schedule, 0, 1);
        std::size_t messages = 0;
        for (const Verb& verb : schedule.strands[0].rounds[0]) {
            EXPECT_LE(verb.terms.size(), kMaxReduceSources);
            if (verb.cell.where == Cell::Where::kScratch) {
                EXPECT_LT(verb.cell.chunk, schedule.scratch_count);
                EXPECT_EQ(verb.cell.chunk % 3, 1u) << "as long as chunk 1";
            }
            for (const Verb::Term& term : verb.terms) messages += term.peer >= 0;
        }
        EXPECT_EQ(messages, n - 1u);
        EXPECT_EQ(schedule.strands[0].rounds[0].back().cell, Cell(1));
    }
}

TEST(RankOrder, FewRanksNeedNoScratch) {
    EXPECT_EQ(rank_order_scratch(kBlock, 7), 0u);
    EXPECT_EQ(rank_order_scratch(kBlock + 1, 7), 14u);
}

}  // namespace
}  // namespace xccl
