// Which part of the text is trained on when.
//
// A sample is a window of T bytes and the T bytes that follow each of them; windows do not overlap.
// Samples are numbered by *position*: 0, 1, 2, ... for the whole life of the run, over epochs and
// ranks. Each epoch visits every sample once, in an order of its own. So where a run stands is one
// number, and it means the same on any number of ranks:
//
//     step s of a run with G micro-batches of B sequences takes positions [s G B, (s+1) G B);
//     micro-batch g of them takes B positions from s G B + g B on;
//     rank r of n computes micro-batches [r G/n, (r+1) G/n).
#pragma once

#include <cstdint>

namespace xccl::trainer {

class Sampler {
  public:
    // sample_count >= 1.
    Sampler(std::uint64_t sample_count, std::uint64_t seed)
        : sample_count_(sample_count), seed_(seed) {}

    std::uint64_t sample_count() const { return sample_count_; }
    std::uint64_t epoch_of(std::uint64_t position) const { return position / sample_count_; }
    // The number of the sample, below sample_count(), that stands at `position`.
    std::uint64_t sample_at(std::uint64_t position) const;

  private:
    std::uint64_t sample_count_;
    std::uint64_t seed_;
};

// The shape of one optimizer step. It belongs to the run, not to the number of ranks.
struct StepShape {
    std::uint64_t micro_batch = 1;        // B: sequences that one rank computes at once
    std::uint64_t micro_batch_count = 1;  // G: of them in a step, over all ranks

    std::uint64_t samples_per_step() const { return micro_batch * micro_batch_count; }
    // The position of the first sequence of micro-batch g at `step`.
    std::uint64_t first_position(std::uint64_t step, std::uint64_t g) const {
        return step * samples_per_step() + g * micro_batch;
    }
};

}  // namespace xccl::trainer
