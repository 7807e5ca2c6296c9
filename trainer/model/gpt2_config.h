// The shape of a GPT-2 model.
#pragma once

#include <cstddef>
#include <string>

namespace xccl::trainer {

struct Gpt2Config {
    std::size_t vocabulary_size = 256;  // V: bytes
    std::size_t context_length = 256;   // the longest sequence, T at most
    std::size_t layer_count = 4;        // L
    std::size_t head_count = 4;         // H
    std::size_t channel_count = 128;    // C, a multiple of H
};

// One line that says what is wrong with the shape and what to do; empty if nothing is.
std::string problem_with(const Gpt2Config& config);

// Floating-point operations that one token costs in forward and backward: 6 per parameter that is
// multiplied with (the position embedding is not), and causal attention over sequences of
// `length`, counted half as the mask leaves half.
double flops_per_token(const Gpt2Config& config, std::size_t length);

}  // namespace xccl::trainer
