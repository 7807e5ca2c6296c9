// Goal: a batch holds the windows that were asked for, and each target is the byte that follows.
#include "data/batch_reader.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

namespace xccl::trainer {
namespace {

// Byte i is i: a token tells where it stood. One part, all of it of one kind.
std::vector<std::uint8_t> ruler(std::size_t count) {
    std::vector<std::uint8_t> text(count);
    std::iota(text.begin(), text.end(), std::uint8_t{0});
    return text;
}

TEST(BatchReader, TargetsFollowTokens) {
    const auto text = ruler(41);  // 10 windows of 4
    BatchReader reader(Windows(text, text.size(), 0, text.size(), 4), 4, 10);
    const Sampler sampler(10, 1);
    const Batch batch = reader.training_batch(sampler, 0, 10);
    ASSERT_EQ(batch.sequence_count, 10u);
    ASSERT_EQ(batch.length, 4u);
    ASSERT_EQ(batch.tokens.size(), 40u);
    std::set<Token> firsts;
    for (std::size_t i = 0; i < 40; ++i) {
        EXPECT_EQ(batch.targets[i], batch.tokens[i] + 1);
        if (i % 4 == 0) {
            firsts.insert(batch.tokens[i]);
        } else {
            EXPECT_EQ(batch.tokens[i], batch.tokens[i - 1] + 1);
        }
    }
    EXPECT_EQ(firsts.size(), 10u);
    EXPECT_EQ(*firsts.rbegin(), 36u);  // the last window, whose last target is the last byte
}

TEST(BatchReader, PositionsDecide) {
    const auto text = ruler(41);
    BatchReader reader(Windows(text, text.size(), 0, text.size(), 4), 4, 4);
    const Sampler sampler(10, 1);
    for (std::uint64_t position : {0, 3, 9, 25}) {
        const Batch batch = reader.training_batch(sampler, position, 2);
        EXPECT_EQ(batch.tokens[0], 4 * sampler.sample_at(position));
        EXPECT_EQ(batch.tokens[4], 4 * sampler.sample_at(position + 1));
    }
}

TEST(BatchReader, SpreadWindowsCoverTheText) {
    const auto text = ruler(81);  // 20 windows of 4
    BatchReader reader(Windows(text, text.size(), 0, text.size(), 4), 4, 5);
    const Batch batch = reader.spread_batch(0, 5, 5);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(batch.tokens[4 * i], 16 * i);
    const Batch part = reader.spread_batch(3, 2, 5);
    EXPECT_EQ(part.sequence_count, 2u);
    EXPECT_EQ(part.tokens[0], 48u);
}

}  // namespace
}  // namespace xccl::trainer
