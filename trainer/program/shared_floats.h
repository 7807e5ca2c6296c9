// A flat array of floats in memory from the communication library: page-aligned, zeroed, in huge
// pages where there are any.
#pragma once

#include <cstddef>
#include <span>

namespace xccl::trainer {

class SharedFloats {
  public:
    // Throws Failure if there is no memory.
    explicit SharedFloats(std::size_t count);
    SharedFloats(const SharedFloats&) = delete;
    SharedFloats& operator=(const SharedFloats&) = delete;
    ~SharedFloats();
    SharedFloats(SharedFloats&& other) noexcept;
    SharedFloats& operator=(SharedFloats&& other) noexcept;

    std::span<float> all() { return {data_, count_}; }
    std::span<const float> all() const { return {data_, count_}; }

  private:
    float* data_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace xccl::trainer
