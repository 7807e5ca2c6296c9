// Goal: ranks that share a core which has more of them than another go there, one at a time, and
// keep all CPUs that they were allowed. Method: the choice alone, on made-up hosts, until nobody
// wants to move; then threads that stand for ranks, brought together on one CPU of this machine.
#include "comm/core_share.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "transport/geometry.h"

namespace xccl {
namespace {

using Cpus = std::vector<int>;

TEST(BetterCpu, TheLastOfTheFullerCoreMoves) {
    const Cpus where{0, 0, 1, 0};
    EXPECT_EQ(better_cpu(0, where, Cpus{0, 1}), -1);
    EXPECT_EQ(better_cpu(1, where, Cpus{0, 1}), -1);
    EXPECT_EQ(better_cpu(2, where, Cpus{0, 1}), -1);
    EXPECT_EQ(better_cpu(3, where, Cpus{0, 1}), 1);
}

TEST(BetterCpu, WhereNothingIsGainedNobodyMoves) {
    EXPECT_EQ(better_cpu(3, Cpus{0, 1, 1, 0}, Cpus{0, 1}), -1);
    EXPECT_EQ(better_cpu(2, Cpus{0, 1, 0}, Cpus{0, 1}), -1);
    EXPECT_EQ(better_cpu(3, Cpus{0, 0, 1, 0}, Cpus{0}), -1);  // it may not go there
}

TEST(BetterCpu, WhoIsNotSeenIsNowhere) {
    EXPECT_EQ(better_cpu(1, Cpus{0, -1, 0}, Cpus{0, 1}), -1);
    EXPECT_EQ(better_cpu(1, Cpus{0, 0, -1}, Cpus{0, 1}), 1);
}

TEST(BetterCpu, TheEmptiestIsTaken) {
    EXPECT_EQ(better_cpu(4, Cpus{0, 0, 1, 0, 0}, Cpus{0, 1, 2}), 2);
}

// Whoever may move does, in any order: at the end no core has two more than another.
TEST(BetterCpu, MovesEndWithEqualShares) {
    for (const int ranks : {3, 4, 5, 8, 13, 16, 17}) {
        for (const int cores : {2, 3, 4}) {
            Cpus allowed(static_cast<std::size_t>(cores));
            std::iota(allowed.begin(), allowed.end(), 0);
            Cpus where(static_cast<std::size_t>(ranks), 0);
            int moves = 0;
            for (bool moved = true; moved;) {
                moved = false;
                for (int rank = ranks - 1; rank >= 0; --rank) {
                    const int cpu = better_cpu(rank, where, allowed);
                    if (cpu < 0) continue;
                    where[static_cast<std::size_t>(rank)] = cpu;
                    moved = true;
                    ASSERT_LT(++moves, ranks);
                }
            }
            Cpus counts;
            for (const int cpu : allowed) {
                counts.push_back(static_cast<int>(std::ranges::count(where, cpu)));
            }
            const auto [least, most] = std::ranges::minmax(counts);
            EXPECT_LE(most - least, 1) << ranks << " ranks on " << cores << " cores";
        }
    }
}

std::shared_ptr<Segment> segment_of(int ranks) {
    auto segment = *Segment::create_private(
        *SegmentLayout::make(ranks, *choose_geometry(ranks, {}, kOneHost)));
    for (int rank = 0; rank < ranks; ++rank) EXPECT_TRUE(segment->enrol(rank).ok());
    return segment;
}

cpu_set_t allowed_now() {
    cpu_set_t set;
    CPU_ZERO(&set);
    EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    return set;
}

int nth_cpu(const cpu_set_t& set, int n) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set) && n-- == 0) return cpu;
    }
    return -1;
}

// Brings the calling thread to a CPU, where it may go on.
void go_to(int cpu, const cpu_set_t& allowed) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    ASSERT_EQ(sched_setaffinity(0, sizeof allowed, &allowed), 0);
}

// On a busy machine the system may move a thread between two of these lines, so it has some tries.
TEST(CoreShare, OneOfTwoLeavesTheCoreAndMayStillRunOnAll) {
    const cpu_set_t before = allowed_now();
    if (CPU_COUNT(&before) < 2) GTEST_SKIP() << "needs two CPUs";
    const int first = nth_cpu(before, 0);
    bool moved = false;
    for (int tries = 0; tries < 100 && !moved; ++tries) {
        const auto segment = segment_of(2);
        CoreShare other(*segment, {.rank = 0, .rank_count = 2, .index = 0}, true);
        CoreShare mine(*segment, {.rank = 1, .rank_count = 2, .index = 1}, true);
        go_to(first, before);
        other.begin();
        mine.begin();
        mine.look(Clock::now());
        const cpu_set_t after = allowed_now();
        ASSERT_TRUE(CPU_EQUAL(&before, &after));
        moved = segment->cpu(0).load() == first + 1 && segment->cpu(1).load() != first + 1;
        EXPECT_TRUE(CPU_ISSET(segment->cpu(1).load() - 1, &before));
    }
    EXPECT_TRUE(moved);
}

TEST(CoreShare, WhoMayRunOnOneCpuStays) {
    const cpu_set_t before = allowed_now();
    const int first = nth_cpu(before, 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    const auto segment = segment_of(2);
    CoreShare other(*segment, {.rank = 0, .rank_count = 2, .index = 0}, true);
    CoreShare mine(*segment, {.rank = 1, .rank_count = 2, .index = 1}, true);
    other.begin();
    mine.look(Clock::now());
    EXPECT_EQ(segment->cpu(1).load(), first + 1);
    const cpu_set_t after = allowed_now();
    EXPECT_TRUE(CPU_EQUAL(&one, &after));
    ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(CoreShare, WhoHasLeftIsNotCounted) {
    const cpu_set_t before = allowed_now();
    const int first = nth_cpu(before, 0);
    bool stayed = false;
    for (int tries = 0; tries < 100 && !stayed; ++tries) {
        const auto segment = segment_of(2);
        segment->cpu(0).store(first + 1);
        segment->leave(0);
        go_to(first, before);
        CoreShare mine(*segment, {.rank = 1, .rank_count = 2, .index = 1}, true);
        mine.look(Clock::now());
        stayed = segment->cpu(1).load() == first + 1;
    }
    EXPECT_TRUE(stayed);
}

TEST(CoreShare, NotActiveItTellsNothing) {
    const auto segment = segment_of(2);
    CoreShare mine(*segment, {.rank = 1, .rank_count = 2, .index = 1}, false);
    for (int call = 0; call < 1000; ++call) mine.begin();
    mine.look(Clock::now());
    EXPECT_EQ(segment->cpu(1).load(), 0);
}

}  // namespace
}  // namespace xccl
