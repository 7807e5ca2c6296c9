// How large a step is, when.
#pragma once

#include <cstdint>

namespace xccl::trainer {

// Warm-up, then half a cosine:
//
//     peak       /\__
//               /    \_          peak * (step + 1) / warmup_steps, then
//              /       \___      final + (peak - final) * (1 + cos(pi * progress)) / 2
//     final   /            \__
//             0   warm-up      progress 1
struct LearningRate {
    double peak = 0;
    double final_fraction = 0;  // of the peak, at the end
    std::uint64_t warmup_steps = 0;

    // `progress`: how much of the run that follows the warm-up is done, clamped to [0, 1].
    double at(std::uint64_t step, double progress) const;
};

// How far a run is that ends after so many steps or seconds, whichever comes first; 0: no limit.
// A pure function of its arguments, so ranks that agree on `seconds` agree on the answer.
struct RunLimit {
    std::uint64_t steps = 0;
    double seconds = 0;

    bool reached(std::uint64_t step, double elapsed_seconds) const;
    // Of the whole run, from 0 to 1: for people.
    double done(std::uint64_t step, double elapsed_seconds) const;
    // Of what follows the warm-up: for the cosine.
    double progress(std::uint64_t step, double elapsed_seconds, std::uint64_t warmup_steps) const;
};

}  // namespace xccl::trainer
