#include "program/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xccl::trainer {

double LearningRate::at(std::uint64_t step, double progress) const {
    const double warm =
        warmup_steps == 0
            ? 1.0
            : std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(warmup_steps));
    const double cosine = (1 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0))) / 2;
    return peak * warm * (final_fraction + (1 - final_fraction) * cosine);
}

bool RunLimit::reached(std::uint64_t step, double elapsed_seconds) const {
    return (steps > 0 && step >= steps) || (seconds > 0 && elapsed_seconds >= seconds);
}

double RunLimit::done(std::uint64_t step, double elapsed_seconds) const {
    return progress(step, elapsed_seconds, 0);
}

double RunLimit::progress(std::uint64_t step, double elapsed_seconds,
                          std::uint64_t warmup_steps) const {
    double furthest = 0;
    if (steps > 0 && step >= warmup_steps) {
        const auto rest = static_cast<double>(steps > warmup_steps ? steps - warmup_steps : 1);
        furthest = std::max(furthest, static_cast<double>(step - warmup_steps) / rest);
    }
    if (seconds > 0) furthest = std::max(furthest, elapsed_seconds / seconds);
    return std::min(furthest, 1.0);
}

}  // namespace xccl::trainer
