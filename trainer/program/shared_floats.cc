#include "program/shared_floats.h"

#include <utility>

#include "program/failure.h"
#include "xccl.h"

namespace xccl::trainer {

SharedFloats::SharedFloats(std::size_t count) : count_(count) {
    void* memory = nullptr;
    if (xcclMemAlloc(&memory, count * sizeof(float)) != xcclSuccess) {
        throw Failure(kFailed,
                      "no memory for an array of {} parameters ({}). Take fewer --layers or "
                      "--channels.",
                      count, xcclGetLastError(nullptr));
    }
    data_ = static_cast<float*>(memory);
}

SharedFloats::~SharedFloats() {
    if (data_ != nullptr) xcclMemFree(data_);
}

SharedFloats::SharedFloats(SharedFloats&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}

SharedFloats& SharedFloats::operator=(SharedFloats&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
}

}  // namespace xccl::trainer
