// Goal: what nobody would believe is not used, and what is measured reaches the planner.
#include "machine/measured_costs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "plan/tuning/host.h"

namespace xccl {
namespace {

TEST(MeasuredCosts, BuiltInOnesAreThePlannersOwn) {
    const HostCosts costs = host_costs(built_in_costs());
    EXPECT_EQ(costs.flagged.latency_us, tuning::kHost.flagged.latency_us);
    EXPECT_EQ(costs.slotted.us_per_byte, tuning::kHost.slotted.us_per_byte);
    EXPECT_EQ(costs.flagged.us_per_byte, tuning::kHost.flagged.us_per_byte);
    EXPECT_EQ(costs.buffer_us_per_byte, tuning::kHost.buffer_us_per_byte);
    EXPECT_EQ(costs.combine_us_per_byte, tuning::kHost.combine_us_per_byte);
    EXPECT_EQ(costs.tcp.us_per_byte, tuning::kHost.tcp.us_per_byte);
}

TEST(MeasuredCosts, BothProtocolsFollowTheMachine) {
    MeasuredCosts measured = built_in_costs();
    measured.latency_us *= 3;
    measured.slot_us_per_byte *= 2;
    const HostCosts costs = host_costs(measured);
    EXPECT_NEAR(costs.flagged.latency_us, 3 * tuning::kHost.flagged.latency_us, 1e-12);
    EXPECT_NEAR(costs.slotted.latency_us, 3 * tuning::kHost.slotted.latency_us, 1e-12);
    EXPECT_NEAR(costs.flagged.us_per_byte, 2 * tuning::kHost.flagged.us_per_byte, 1e-12);
}

TEST(MeasuredCosts, WhatIsDisturbedIsReplacedAlone) {
    for (const MeasuredField& field : kMeasuredFields) {
        const double built_in = built_in_costs().*field.value;
        for (const double bad :
             {built_in * field.most * 1.01, built_in / field.most / 1.01, 0.0, -built_in,
              std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
            MeasuredCosts costs = built_in_costs();
            costs.latency_us *= 2;
            MeasuredCosts expected = costs;
            costs.*field.value = bad;
            expected.*field.value = built_in;
            EXPECT_EQ(believable(costs), expected) << field.name << " " << bad;
        }
        MeasuredCosts good = built_in_costs();
        good.*field.value = built_in * field.most * 0.99;
        EXPECT_EQ(believable(good), good) << field.name;
    }
}

TEST(MeasuredCosts, ARankHasItsShareOfTheCaches) {
    MeasuredCosts costs = built_in_costs();
    const auto claimed = static_cast<std::uint64_t>(costs.cached_bytes);
    EXPECT_EQ(cached_bytes_of_rank(costs, 1, 1), claimed);
    EXPECT_EQ(cached_bytes_of_rank(costs, 4, 64), claimed / 4);  // never more than is claimed
    costs.cached_bytes /= 16;
    EXPECT_EQ(cached_bytes_of_rank(costs, 2, 2), claimed / 16);   // each has a core's
    EXPECT_EQ(cached_bytes_of_rank(costs, 4, 2), claimed / 32);   // two share a core's
    EXPECT_EQ(cached_bytes_of_rank(costs, 32, 0), claimed / 32);  // as many cores as ranks
}

}  // namespace
}  // namespace xccl
