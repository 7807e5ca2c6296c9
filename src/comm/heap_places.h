// Where a buffer lies in this process's heap: one look into its table per buffer, not per call.
#pragma once

#include <cstddef>
#include <cstdint>

#include "executor/launch.h"
#include "transport/shared_heap.h"

namespace xccl {

class HeapPlaces {
  public:
    // Of [data, data + bytes); Buffers::kNotInHeap if it is not all in one allocation.
    std::uint64_t find(const std::byte* data, std::uint64_t bytes) {
        const SharedHeap& heap = SharedHeap::of_this_process();
        const std::uint64_t generation = heap.generation();
        if (data != data_ || bytes != bytes_ || generation != generation_) {
            place_ = bytes == 0 ? Buffers::kNotInHeap
                                : heap.offset_of(data, bytes).value_or(Buffers::kNotInHeap);
            data_ = data;
            bytes_ = bytes;
            generation_ = generation;
        }
        return place_;
    }

  private:
    const std::byte* data_ = nullptr;
    std::uint64_t bytes_ = 0;
    std::uint64_t generation_ = 0;
    std::uint64_t place_ = Buffers::kNotInHeap;
};

}  // namespace xccl
