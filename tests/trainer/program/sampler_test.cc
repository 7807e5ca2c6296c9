// Goal: on any number of ranks an epoch visits every sample once, and a position means the same.
#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace xccl::trainer {
namespace {

// The samples of the first `steps` steps in the order in which `ranks` ranks take them.
std::vector<std::vector<std::uint64_t>> samples_of_ranks(const Sampler& sampler,
                                                         const StepShape& shape,
                                                         std::uint64_t ranks, std::uint64_t steps) {
    std::vector<std::vector<std::uint64_t>> taken(ranks);
    const std::uint64_t share = shape.micro_batch_count / ranks;
    for (std::uint64_t step = 0; step < steps; ++step) {
        for (std::uint64_t rank = 0; rank < ranks; ++rank) {
            for (std::uint64_t g = rank * share; g < (rank + 1) * share; ++g) {
                for (std::uint64_t b = 0; b < shape.micro_batch; ++b) {
                    taken[rank].push_back(sampler.sample_at(shape.first_position(step, g) + b));
                }
            }
        }
    }
    return taken;
}

TEST(Sampler, EachSampleOncePerEpochOnAnyNumberOfRanks) {
    const StepShape shape{.micro_batch = 3, .micro_batch_count = 12};
    const std::uint64_t steps = 7;
    const Sampler sampler(steps * shape.samples_per_step(), 9);
    for (std::uint64_t ranks : {1, 2, 3, 4, 6, 12}) {
        std::map<std::uint64_t, int> visits;
        for (const auto& of_rank : samples_of_ranks(sampler, shape, ranks, steps)) {
            for (std::uint64_t sample : of_rank) ++visits[sample];
        }
        ASSERT_EQ(visits.size(), sampler.sample_count()) << ranks;
        for (const auto& [sample, count] : visits) ASSERT_EQ(count, 1) << sample;
    }
}

// An epoch's end lies inside a step: the audit goes by position.
TEST(Sampler, EpochsNeedNotEndWithAStep) {
    const Sampler sampler(101, 4);
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
        std::vector<std::uint64_t> seen;
        for (std::uint64_t i = 0; i < 101; ++i) {
            EXPECT_EQ(sampler.epoch_of(epoch * 101 + i), epoch);
            seen.push_back(sampler.sample_at(epoch * 101 + i));
        }
        std::sort(seen.begin(), seen.end());
        EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
        EXPECT_EQ(seen.back(), 100u);
    }
}

TEST(Sampler, EpochsAndSeedsHaveOrdersOfTheirOwn) {
    const Sampler sampler(500, 1), other(500, 2);
    int same_in_next_epoch = 0, same_with_other_seed = 0;
    for (std::uint64_t i = 0; i < 500; ++i) {
        same_in_next_epoch += sampler.sample_at(i) == sampler.sample_at(500 + i);
        same_with_other_seed += sampler.sample_at(i) == other.sample_at(i);
    }
    EXPECT_LT(same_in_next_epoch, 10);  // about one is expected
    EXPECT_LT(same_with_other_seed, 10);
}

}  // namespace
}  // namespace xccl::trainer
