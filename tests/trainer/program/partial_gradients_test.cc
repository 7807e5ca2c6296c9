// Goal: micro-batches combine as a balanced tree, however they are shared among ranks.
// Method: numbers whose float sums depend on the order; the expected order is written out.
#include "program/partial_gradients.h"

#include <gtest/gtest.h>

#include <vector>

namespace xccl::trainer {
namespace {

void add(std::span<float> into, std::span<const float> from) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] += from[i];
}

// The gradients of micro-batch g: two elements of very different size.
std::vector<float> leaf(int g) {
    static const float kValues[] = {1e8F, 1.0F, -1e8F, 3.0F, 0.1F, 0.2F, 0.3F, 1e-3F};
    return {kValues[g], kValues[7 - g]};
}

// What a rank that computes micro-batches [first, first + count) sends; its last one is finished in
// two ranges, as backward does.
std::vector<float> sum_of_rank(PartialGradients& partial, int first, int count) {
    partial.restart();
    for (int g = first; g < first + count - 1; ++g) {
        const std::vector<float> gradients = leaf(g);
        std::copy(gradients.begin(), gradients.end(), partial.next().begin());
        partial.push();
    }
    std::vector<float> last = leaf(first + count - 1);
    partial.add_to(0, std::span(last).first(1));
    partial.add_to(1, std::span(last).subspan(1));
    return last;
}

std::vector<float> sum_of_rank(int first, int count) {
    PartialGradients partial(2, add);
    return sum_of_rank(partial, first, count);
}

std::vector<float> plus(std::vector<float> a, const std::vector<float>& b) {
    add(a, b);
    return a;
}

TEST(PartialGradients, OneMicroBatchIsItself) {
    EXPECT_EQ(sum_of_rank(3, 1), leaf(3));
}

TEST(PartialGradients, ABalancedTree) {
    const auto half = [](int g) {
        return plus(plus(leaf(g), leaf(g + 1)), plus(leaf(g + 2), leaf(g + 3)));
    };
    EXPECT_EQ(sum_of_rank(0, 2), plus(leaf(0), leaf(1)));
    EXPECT_EQ(sum_of_rank(0, 4), half(0));
    EXPECT_EQ(sum_of_rank(0, 8), plus(half(0), half(4)));
    EXPECT_EQ(sum_of_rank(0, 3), plus(plus(leaf(0), leaf(1)), leaf(2)));
}

// 8 micro-batches on 1, 2, 4 and 8 ranks, whose sums are added pairwise: the same bits.
TEST(PartialGradients, TheNumberOfRanksDoesNotMatter) {
    const std::vector<float> of_one_rank = sum_of_rank(0, 8);
    for (int ranks : {2, 4, 8}) {
        std::vector<std::vector<float>> sums;
        for (int rank = 0; rank < ranks; ++rank) {
            sums.push_back(sum_of_rank(rank * 8 / ranks, 8 / ranks));
        }
        for (; sums.size() > 1; sums.resize(sums.size() / 2)) {
            for (std::size_t i = 0; i < sums.size() / 2; ++i) {
                sums[i] = plus(sums[2 * i], sums[2 * i + 1]);
            }
        }
        EXPECT_EQ(sums[0], of_one_rank) << ranks;
    }
    // The order matters for these numbers, or the test would say nothing.
    std::vector<float> one_by_one = leaf(0);
    for (int g = 1; g < 8; ++g) one_by_one = plus(one_by_one, leaf(g));
    EXPECT_NE(one_by_one, of_one_rank);
}

TEST(PartialGradients, StepsDoNotMix) {
    PartialGradients partial(2, add);
    const std::vector<float> first = sum_of_rank(partial, 0, 4);
    EXPECT_EQ(sum_of_rank(partial, 0, 3), sum_of_rank(0, 3));
    EXPECT_EQ(sum_of_rank(partial, 0, 4), first);
}

}  // namespace
}  // namespace xccl::trainer
