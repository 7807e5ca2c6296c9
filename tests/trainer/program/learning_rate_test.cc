// Goal: warm-up, cosine and limits at their ends and in between.
#include "program/learning_rate.h"

#include <gtest/gtest.h>

namespace xccl::trainer {
namespace {

TEST(LearningRate, WarmsUpLinearly) {
    const LearningRate rate{.peak = 1, .final_fraction = 0.1, .warmup_steps = 4};
    EXPECT_DOUBLE_EQ(rate.at(0, 0), 0.25);
    EXPECT_DOUBLE_EQ(rate.at(1, 0), 0.5);
    EXPECT_DOUBLE_EQ(rate.at(3, 0), 1);
    EXPECT_DOUBLE_EQ(rate.at(4, 0), 1);
}

TEST(LearningRate, FallsAlongHalfACosine) {
    const LearningRate rate{.peak = 2, .final_fraction = 0.1, .warmup_steps = 0};
    EXPECT_DOUBLE_EQ(rate.at(0, 0), 2);
    EXPECT_NEAR(rate.at(50, 0.5), 2 * 0.55, 1e-12);
    EXPECT_NEAR(rate.at(100, 1), 0.2, 1e-12);
    EXPECT_NEAR(rate.at(100, 7), 0.2, 1e-12);  // clamped
    double before = 3;
    for (double progress = 0; progress <= 1; progress += 0.05) {
        EXPECT_LT(rate.at(10, progress), before);
        before = rate.at(10, progress);
    }
}

TEST(RunLimit, WhicheverComesFirst) {
    const RunLimit steps{.steps = 10, .seconds = 0};
    EXPECT_FALSE(steps.reached(9, 1e9));
    EXPECT_TRUE(steps.reached(10, 0));
    const RunLimit time{.steps = 0, .seconds = 60};
    EXPECT_FALSE(time.reached(1000000, 59));
    EXPECT_TRUE(time.reached(1, 60));
    const RunLimit both{.steps = 10, .seconds = 60};
    EXPECT_TRUE(both.reached(10, 1));
    EXPECT_TRUE(both.reached(1, 61));
    EXPECT_FALSE(both.reached(9, 59));
    EXPECT_FALSE((RunLimit{}.reached(1000, 1000)));
}

TEST(RunLimit, ProgressIsTheFurthestLimit) {
    const RunLimit both{.steps = 110, .seconds = 100};
    EXPECT_DOUBLE_EQ(both.progress(10, 0, 10), 0);
    EXPECT_DOUBLE_EQ(both.progress(60, 0, 10), 0.5);
    EXPECT_DOUBLE_EQ(both.progress(60, 80, 10), 0.8);
    EXPECT_DOUBLE_EQ(both.progress(5, 0, 10), 0);  // still warming up
    EXPECT_DOUBLE_EQ(both.progress(500, 0, 10), 1);
    EXPECT_DOUBLE_EQ(both.done(55, 0), 0.5);
}

// Fewer steps than the warm-up takes are no division by zero.
TEST(RunLimit, AllWarmUp) {
    const RunLimit limit{.steps = 5, .seconds = 0};
    EXPECT_DOUBLE_EQ(limit.progress(3, 0, 50), 0);
    EXPECT_DOUBLE_EQ(limit.progress(50, 0, 50), 0);
}

}  // namespace
}  // namespace xccl::trainer
