// Goal: a run of any length is kept in bounded memory, and nothing of its sums is lost.
#include "report/history.h"

#include <gtest/gtest.h>

namespace xccl::trainer {
namespace {

StepRecord record(std::uint64_t step) {
    StepRecord r{.step = step, .tokens = 10, .elapsed = static_cast<double>(step + 1)};
    r.loss = static_cast<double>(step);
    r.times.compute = 0.5;
    r.times.input = 0.25;
    return r;
}

TEST(History, ShortRunsAreKeptAsTheyAre) {
    History history(16);
    for (std::uint64_t step = 0; step < 15; ++step) history.add(record(step));
    const auto points = history.points();
    ASSERT_EQ(points.size(), 15u);
    EXPECT_EQ(history.steps_per_point(), 1u);
    EXPECT_EQ(points[7].loss, 7);
}

TEST(History, LongRunsAreThinnedWithoutLoss) {
    for (std::uint64_t steps : {16u, 17u, 100u, 1000u, 4096u}) {
        History history(16);
        for (std::uint64_t step = 0; step < steps; ++step) history.add(record(step));
        const auto points = history.points();
        ASSERT_LE(points.size(), 17u) << steps;
        ASSERT_GE(points.size(), 8u) << steps;
        std::uint64_t tokens = 0;
        double compute = 0, loss = 0;
        for (const StepRecord& point : points) {
            tokens += point.tokens;
            compute += point.times.compute;
            loss += point.loss * static_cast<double>(point.tokens) / 10;
        }
        EXPECT_EQ(tokens, 10 * steps);
        EXPECT_NEAR(compute, 0.5 * static_cast<double>(steps), 1e-9);
        const auto n = static_cast<double>(steps);
        EXPECT_NEAR(loss, n * (n - 1) / 2, 1e-6 * n * n);  // means, weighted, give the sum back
        EXPECT_EQ(points.back().step, steps - 1);
        EXPECT_EQ(points.back().elapsed, static_cast<double>(steps));
    }
}

}  // namespace
}  // namespace xccl::trainer
