// A queue that allocates only when it has never been this long before.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace xccl {

template <typename T>
class RingQueue {
  public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    T& front() { return slots_[head_]; }
    const T& front() const { return slots_[head_]; }

    // The new last element. It still holds what its slot last held: assign all of it.
    T& push() {
        if (size_ == capacity_) grow();
        return slots_[(head_ + size_++) & (capacity_ - 1)];
    }
    // Elements keep their value until their slot is used again. An empty queue starts over, so that
    // one that is never longer than one element uses one slot.
    void pop() {
        XCCL_DEBUG_ASSERT(size_ > 0);
        --size_;
        head_ = size_ == 0 ? 0 : (head_ + 1) & (capacity_ - 1);
    }
    void clear() {
        size_ = 0;
        head_ = 0;
    }

  private:
    void grow() {
        std::vector<T> larger(capacity_ == 0 ? 4 : capacity_ * 2);
        for (std::size_t i = 0; i < size_; ++i) {
            larger[i] = std::move(slots_[(head_ + i) & (capacity_ - 1)]);
        }
        slots_ = std::move(larger);
        capacity_ = slots_.size();
        head_ = 0;
    }

    std::vector<T> slots_;
    std::size_t capacity_ = 0;  // slots_.size(), without its division; a power of two
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace xccl
