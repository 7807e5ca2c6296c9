// Goal: temperature and top-k do what their names say, and the same seed writes the same text.
#include "program/text_generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace xccl::trainer {
namespace {

const std::array<float, 4> kLogits = {0, 2, 1, 2};

TEST(ChooseToken, TemperatureZeroTakesTheLikeliest) {
    const SamplingSettings cold{.temperature = 0, .top_k = 4, .seed = 0};
    for (double dice : {0.0, 0.3, 0.999}) EXPECT_EQ(choose_token(kLogits, cold, dice), 1u);
}

TEST(ChooseToken, TopKLimitsTheChoice) {
    std::map<std::size_t, int> chosen;
    for (int i = 0; i < 1000; ++i) {
        ++chosen[choose_token(kLogits, {.temperature = 100, .top_k = 2, .seed = 0}, i / 1000.0)];
    }
    EXPECT_EQ(chosen.size(), 2u);
    EXPECT_EQ(chosen.count(1) + chosen.count(3), 2u);
    EXPECT_EQ(choose_token(kLogits, {.temperature = 1, .top_k = 1, .seed = 0}, 0.999), 1u);
}

// A fair dice gives each token its softmax probability.
TEST(ChooseToken, FollowsTheProbabilities) {
    constexpr int kThrows = 100000;
    std::map<std::size_t, int> chosen;
    for (int i = 0; i < kThrows; ++i) {
        ++chosen[choose_token(kLogits, {.temperature = 1, .top_k = 256, .seed = 0},
                              (i + 0.5) / kThrows)];
    }
    const double sum = 1 + 2 * std::exp(2) + std::exp(1);
    EXPECT_NEAR(chosen[0], kThrows * 1 / sum, 2);
    EXPECT_NEAR(chosen[1], kThrows * std::exp(2) / sum, 2);
    EXPECT_NEAR(chosen[2], kThrows * std::exp(1) / sum, 2);
}

TEST(GenerateText, ContinuesThePromptByteByByte) {
    // A model that is sure of the successor of the last byte.
    const auto successor = [](const std::string& text, std::span<float> logits) {
        std::fill(logits.begin(), logits.end(), 0.0F);
        logits[static_cast<unsigned char>(text.back()) + 1] = 100;
    };
    std::string heard;
    const auto hear = [&heard](char c) {
        heard += c;
        return true;
    };
    EXPECT_EQ(generate_text("xa", 4, {.temperature = 1, .top_k = 5, .seed = 1}, successor, hear),
              "bcde");
    EXPECT_EQ(heard, "bcde");
    EXPECT_EQ(generate_text("a", 4, {}, successor, [](char c) { return c != 'c'; }), "bc");
}

TEST(GenerateText, SeedsDecide) {
    const auto anything = [](const std::string&, std::span<float> logits) {
        std::fill(logits.begin(), logits.end(), 0.0F);
    };
    const auto write = [&](std::uint64_t seed) {
        return generate_text("a", 50, {.temperature = 1, .top_k = 256, .seed = seed}, anything,
                             [](char) { return true; });
    };
    EXPECT_EQ(write(1), write(1));
    EXPECT_NE(write(1), write(2));
}

}  // namespace
}  // namespace xccl::trainer
