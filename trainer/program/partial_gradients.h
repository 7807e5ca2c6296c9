// Gradients of several micro-batches of one rank, added in an order that does not depend on how
// many ranks share the work.
//
// Sums combine like the digits of a binary counter: two sums of as many micro-batches become one.
// For the micro-batches 0 .. 3 of one rank that gives (g0 + g1) + (g2 + g3): what 2 ranks with two
// each, and 4 ranks with one each, compute when the ranks' sums are added pairwise.
//
// The last micro-batch is not added here: its gradients become final range by range during
// backward, and each range takes the open sums along (add_to) before it is sent.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace xccl::trainer {

class PartialGradients {
  public:
    // into[i] += from[i].
    using Add = std::function<void(std::span<float> into, std::span<const float> from)>;

    PartialGradients(std::size_t element_count, Add add)
        : element_count_(element_count), add_(std::move(add)) {}

    // Where the next micro-batch's gradients are written; it counts when push() is called.
    std::span<float> next();
    void push();

    // Adds the open sums, the youngest first, to these gradients of the last micro-batch:
    // elements [first, first + range.size()).
    void add_to(std::size_t first, std::span<float> range);

    // For the next step. Arrays are kept.
    void restart() { open_.clear(); }

  private:
    std::size_t element_count_;
    Add add_;
    std::vector<std::vector<float>>
        arrays_;                     // sum i is in array i; at most log2 of the micro-batches
    std::vector<std::size_t> open_;  // micro-batches in each sum; oldest first
};

}  // namespace xccl::trainer
