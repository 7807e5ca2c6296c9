// Goal: buckets leave in order, whole, and as soon as they are full.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "program/gradient_buckets.h"

namespace xccl::trainer {
namespace {

TEST(GradientBuckets, LeaveAsSoonAsTheyAreFull) {
    std::vector<float> gradients(10);
    std::vector<std::pair<std::size_t, std::size_t>> started;  // offset, size
    GradientBuckets buckets(gradients, 4, [&](std::span<float> bucket) {
        started.emplace_back(bucket.data() - gradients.data(), bucket.size());
    });
    EXPECT_EQ(buckets.bucket_count(), 3u);
    buckets.finished(3);
    EXPECT_TRUE(started.empty());
    buckets.finished(4);
    EXPECT_EQ(started.size(), 1u);
    buckets.finished(9);
    EXPECT_EQ(started.size(), 2u);
    buckets.finished(10);
    using Ranges = std::vector<std::pair<std::size_t, std::size_t>>;
    EXPECT_EQ(started, (Ranges{{0, 4}, {4, 4}, {8, 2}}));
    buckets.finished(10);  // nothing is sent twice
    EXPECT_EQ(started.size(), 3u);
    buckets.restart();
    buckets.finished(10);
    EXPECT_EQ(started.size(), 6u);
}

TEST(GradientBuckets, OneBucketMayHoldAll) {
    std::vector<float> gradients(10);
    int started = 0;
    GradientBuckets buckets(gradients, 1000, [&](std::span<float> bucket) {
        EXPECT_EQ(bucket.size(), 10u);
        ++started;
    });
    EXPECT_EQ(buckets.bucket_count(), 1u);
    buckets.finished(9);
    EXPECT_EQ(started, 0);
    buckets.finished(10);
    EXPECT_EQ(started, 1);
}

}  // namespace
}  // namespace xccl::trainer
