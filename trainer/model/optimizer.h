// What a training step does to the flat arrays, once gradients are there.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/parameter_layout.h"
#include "threads/thread_pool.h"

namespace xccl::trainer {

struct AdamwSettings {
    float learning_rate = 1e-3F;
    float beta1 = 0.9F;
    float beta2 = 0.95F;
    float epsilon = 1e-8F;
    float weight_decay = 0.1F;  // decoupled; only for tensors that decay
};

// AdamW over flat arrays.
class Optimizer {
  public:
    // Allocates the moments, zero. `pool` must outlive it.
    Optimizer(const ParameterLayout& layout, ThreadPool& pool);

    // Step `step` counts from 1. Gradients are multiplied by `gradient_scale` as they are read:
    // 1 / micro-batches, times the factor that clips their norm.
    void step(const AdamwSettings& settings, std::size_t step, float gradient_scale,
              std::span<float> parameters, std::span<const float> gradients);

    // The square root of the sum of squares, summed in double over fixed blocks in a fixed order.
    // NaN or infinite if an element is.
    double norm(std::span<const float> gradients);

    // into[i] += from[i]: gradients of micro-batches, as an all-reduce adds those of two ranks.
    void accumulate(std::span<float> into, std::span<const float> from);

    std::span<float> first_moment() { return first_moment_; }
    std::span<float> second_moment() { return second_moment_; }

  private:
    // Neighbours in the flat arrays that are treated alike.
    struct Part {
        std::size_t begin;
        std::size_t end;
        bool decays;
    };

    ThreadPool& pool_;
    std::vector<Part> parts_;
    std::vector<float> first_moment_;
    std::vector<float> second_moment_;
    std::vector<double> partial_sums_;  // of blocks, for norm()
};

}  // namespace xccl::trainer
