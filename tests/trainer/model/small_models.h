// Models small enough to be computed again and again, with parameters that hide nothing.
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include "model/gpt2.h"

namespace xccl::trainer {

// Shapes that fit no vector and no block.
inline Gpt2Config tiny_config() {
    return {.vocabulary_size = 11,
            .context_length = 7,
            .layer_count = 2,
            .head_count = 3,
            .channel_count = 9};
}

// As GPT-2 starts, but with biases and norms that are not what an error would also give.
template <typename T>
std::vector<T> random_parameters(const ParameterLayout& layout, std::size_t layer_count) {
    std::vector<float> start(layout.count());
    initialise_parameters<float>(layout, layer_count, 1, start);
    std::mt19937_64 random(2);
    std::normal_distribution<float> normal(0, 0.1F);
    for (const Tensor& tensor : layout.tensors()) {
        if (tensor.decays) continue;
        for (std::size_t i = 0; i < tensor.count; ++i) start[tensor.offset + i] += normal(random);
    }
    return {start.begin(), start.end()};
}

// A batch that owns its tokens.
struct RandomBatch {
    RandomBatch(const Gpt2Config& config, std::size_t sequences, std::size_t length_of_each,
                std::uint64_t seed)
        : tokens(sequences * length_of_each),
          targets(tokens.size()),
          sequence_count(sequences),
          length(length_of_each) {
        std::mt19937_64 random(seed);
        for (Token& token : tokens) token = static_cast<Token>(random() % config.vocabulary_size);
        for (Token& token : targets) token = static_cast<Token>(random() % config.vocabulary_size);
    }
    Batch view() const { return {tokens, targets, sequence_count, length}; }

    std::vector<Token> tokens;
    std::vector<Token> targets;
    std::size_t sequence_count;
    std::size_t length;
};

// ||a - b|| / ||b||; infinite if a holds a NaN.
template <typename A, typename B>
double relative_distance(std::span<const A> a, std::span<const B> b) {
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        difference += d * d;
        size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
    }
    const double distance = std::sqrt(difference / size);
    return std::isnan(distance) ? INFINITY : distance;
}

}  // namespace xccl::trainer
