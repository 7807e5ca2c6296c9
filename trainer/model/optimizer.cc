#include "model/optimizer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kernels/kernel_table.h"

namespace xccl::trainer {
namespace {

// Elements of the flat arrays that sums are made over, and that one thread takes at a time.
constexpr std::size_t kBlock = 65536;

std::size_t blocks_of(std::size_t count) {
    return (count + kBlock - 1) / kBlock;
}

}  // namespace

Optimizer::Optimizer(const ParameterLayout& layout, ThreadPool& pool)
    : pool_(pool),
      first_moment_(layout.count()),
      second_moment_(layout.count()),
      partial_sums_(blocks_of(layout.count())) {
    // Neighbouring tensors are one part if both decay or neither does, up to a block's size.
    for (const Tensor& tensor : layout.tensors()) {
        const std::size_t end = tensor.offset + tensor.count;
        for (std::size_t begin = tensor.offset; begin < end;) {
            if (parts_.empty() || parts_.back().decays != tensor.decays ||
                parts_.back().end - parts_.back().begin == kBlock) {
                parts_.push_back({begin, begin, tensor.decays});
            }
            Part& part = parts_.back();
            part.end = std::min(end, part.begin + kBlock);
            begin = part.end;
        }
    }
}

void Optimizer::step(const AdamwSettings& settings, std::size_t step, float gradient_scale,
                     std::span<float> parameters, std::span<const float> gradients) {
    assert(parameters.size() == first_moment_.size() && gradients.size() == first_moment_.size());
    assert(step > 0);
    const auto correction = [&](float beta) {
        return static_cast<float>(1 - std::pow(double{beta}, static_cast<double>(step)));
    };
    const float correction1 = correction(settings.beta1);
    const float correction2 = correction(settings.beta2);
    const KernelTable& kernels = best_kernel_table();
    pool_.run(parts_.size(), [&](std::size_t tile, std::size_t) {
        const Part& part = parts_[tile];
        kernels.adamw({.parameters = parameters.data(),
                       .first_moment = first_moment_.data(),
                       .second_moment = second_moment_.data(),
                       .gradients = gradients.data(),
                       .count = parameters.size(),
                       .coefficients = {.learning_rate = settings.learning_rate,
                                        .beta1 = settings.beta1,
                                        .beta2 = settings.beta2,
                                        .correction1 = correction1,
                                        .correction2 = correction2,
                                        .epsilon = settings.epsilon,
                                        .weight_decay = part.decays ? settings.weight_decay : 0,
                                        .gradient_scale = gradient_scale}},
                      {part.begin, part.end});
    });
}

double Optimizer::norm(std::span<const float> gradients) {
    assert(gradients.size() == first_moment_.size());
    const KernelTable& kernels = best_kernel_table();
    pool_.run(partial_sums_.size(), [&](std::size_t block, std::size_t) {
        const std::size_t begin = block * kBlock;
        partial_sums_[block] = kernels.sum_of_squares(gradients.data() + begin,
                                                      std::min(kBlock, gradients.size() - begin));
    });
    double sum = 0;
    for (const double partial : partial_sums_) sum += partial;
    return std::sqrt(sum);
}

void Optimizer::accumulate(std::span<float> into, std::span<const float> from) {
    assert(into.size() == from.size());
    const KernelTable& kernels = best_kernel_table();
    pool_.run(blocks_of(into.size()), [&](std::size_t block, std::size_t) {
        const std::size_t begin = block * kBlock;
        kernels.add(into.data() + begin, from.data() + begin,
                    std::min(kBlock, into.size() - begin));
    });
}

}  // namespace xccl::trainer
