// Lets a trained model write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace xccl::trainer {

struct SamplingSettings {
    double temperature = 1;   // 0: always the likeliest
    std::size_t top_k = 256;  // choose among so many
    std::uint64_t seed = 0;
};

// Chooses a token: softmax of logits / temperature over the top_k likeliest, `dice` in [0, 1).
// Equal logits are ordered by token.
std::size_t choose_token(std::span<const float> logits, const SamplingSettings& settings,
                         double dice);

// Fills logits [256] for the byte that follows `text`.
using NextByteLogits = std::function<void(const std::string& text, std::span<float> logits)>;

// `count` bytes that continue `prompt`. `on_byte`, called for each, may say that it is enough by
// returning false.
std::string generate_text(const std::string& prompt, std::size_t count,
                          const SamplingSettings& settings, const NextByteLogits& next_byte_logits,
                          const std::function<bool(char)>& on_byte);

}  // namespace xccl::trainer
