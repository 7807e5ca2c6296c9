// An array of elements that begin at a cache line, zero at first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace xccl::trainer {

constexpr std::size_t kCacheLineBytes = 64;

template <typename T>
class AlignedArray {
  public:
    AlignedArray() = default;
    explicit AlignedArray(std::size_t size) { grow(size); }

    // At least `size` elements; what was there is lost if they are more than before.
    void grow(std::size_t size) {
        if (size <= size_) return;
        elements_.reset();
        elements_.reset(
            static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{kCacheLineBytes})));
        std::fill_n(elements_.get(), size, T{});
        size_ = size;
    }

    T* data() const { return elements_.get(); }
    std::size_t size() const { return size_; }
    std::size_t bytes() const { return size_ * sizeof(T); }

  private:
    struct Release {
        void operator()(T* elements) const {
            ::operator delete (elements, std::align_val_t{kCacheLineBytes});
        }
    };
    std::unique_ptr<T, Release> elements_;
    std::size_t size_ = 0;
};

}  // namespace xccl::trainer
