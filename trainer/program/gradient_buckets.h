// Sums gradients over ranks while backward still computes others.
//
// Backward finishes the flat array from its beginning on. As soon as what is finished fills a
// bucket, its sum is started in the background; threads that compute poll it between tiles. What is
// left when backward has ended is waited for, and that waiting is what communication costs:
//
//     backward   |--bucket 0--|--bucket 1--|--bucket 2--|
//     sums                    |=====0=====|=====1=====|=====2=====|
//                                                       |~exposed~|
//
// The buckets' borders depend on the array alone, so ranks agree on them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

namespace xccl::trainer {

class GradientBuckets {
  public:
    using StartSum = std::function<void(std::span<float>)>;

    // bucket_elements: at least 1; `start_sum` is called in the array's order.
    GradientBuckets(std::span<float> gradients, std::size_t bucket_elements, StartSum start_sum)
        : gradients_(gradients),
          bucket_elements_(bucket_elements),
          start_sum_(std::move(start_sum)) {}

    std::size_t bucket_count() const {
        return (gradients_.size() + bucket_elements_ - 1) / bucket_elements_;
    }

    // The first `count` elements are final. Starts the buckets that are full now.
    void finished(std::size_t count) {
        while (started_ < gradients_.size()) {
            const std::size_t size = std::min(bucket_elements_, gradients_.size() - started_);
            if (started_ + size > count) return;
            start_sum_(gradients_.subspan(started_, size));
            started_ += size;
        }
    }

    // For the next backward.
    void restart() { started_ = 0; }

  private:
    std::span<float> gradients_;
    std::size_t bucket_elements_;
    StartSum start_sum_;
    std::size_t started_ = 0;  // elements whose sums are on their way
};

}  // namespace xccl::trainer
