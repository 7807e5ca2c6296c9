// One allocation from which many arrays are taken, each at a cache line.
//
// What takes them runs twice: first on an arena of no memory, which only adds up; then on one of
// that size. So there is no table of sizes that could differ from what is used.
#pragma once

#include <cstddef>

#include "kernels/aligned_array.h"

namespace xccl::trainer {

template <typename T>
class Arena {
  public:
    // `capacity` elements; 0: for adding up alone, where take() gives null.
    explicit Arena(std::size_t capacity = 0) : memory_(capacity) {}

    T* take(std::size_t count) {
        constexpr std::size_t kLine = kCacheLineBytes / sizeof(T);
        T* const part = memory_.size() == 0 ? nullptr : memory_.data() + taken_;
        taken_ += (count + kLine - 1) / kLine * kLine;
        return part;
    }

    std::size_t taken() const { return taken_; }  // elements
    std::size_t bytes() const { return memory_.bytes(); }

  private:
    AlignedArray<T> memory_;
    std::size_t taken_ = 0;
};

}  // namespace xccl::trainer
