#include "program/text_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "data/permutation.h"

namespace xccl::trainer {

std::size_t choose_token(std::span<const float> logits, const SamplingSettings& settings,
                         double dice) {
    std::vector<std::size_t> likeliest(logits.size());
    std::iota(likeliest.begin(), likeliest.end(), std::size_t{0});
    std::stable_sort(likeliest.begin(), likeliest.end(),
                     [&logits](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
    if (settings.temperature <= 0) return likeliest.front();
    likeliest.resize(std::min(settings.top_k, likeliest.size()));

    std::vector<double> weights;
    for (const std::size_t token : likeliest) {
        const double below = logits[token] - logits[likeliest.front()];
        weights.push_back(std::exp(below / settings.temperature));
    }
    double left = dice * std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        left -= weights[i];
        if (left < 0) return likeliest[i];
    }
    return likeliest.back();
}

std::string generate_text(const std::string& prompt, std::size_t count,
                          const SamplingSettings& settings, const NextByteLogits& next_byte_logits,
                          const std::function<bool(char)>& on_byte) {
    std::string text = prompt;
    std::array<float, 256> logits{};
    for (std::size_t i = 0; i < count; ++i) {
        next_byte_logits(text, logits);
        const std::uint64_t bits = mixed_bits(mixed_bits(settings.seed) + i);
        const double dice = static_cast<double>(bits >> 11) * 0x1p-53;
        const char byte = static_cast<char>(choose_token(logits, settings, dice));
        text += byte;
        if (!on_byte(byte)) break;
    }
    return text.substr(prompt.size());
}

}  // namespace xccl::trainer
