// The flight recorder: the last operations of one communicator, always on.
//
// begin() and end() write one cache line each, stamped by the cycle counter; nothing is formatted
// until somebody asks. The writer holds the communicator's lock; a dump may come from any thread at
// any time and reads whatever is there, so every field is a relaxed atomic.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/operation.h"

namespace xccl {

class FlightRecorder {
  public:
    static constexpr std::size_t kEntryCount = 128;  // a power of two

    FlightRecorder();

    // Notes the start of an operation; the index is for end().
    std::uint64_t begin(const OperationDescriptor& operation) {
        Entry& entry = entries_[next_ & (kEntryCount - 1)];
        entry.store(operation);
        entry.started.store(cycles(), std::memory_order_relaxed);
        entry.ended.store(0, std::memory_order_relaxed);
        entry.result.store(xcclInProgress, std::memory_order_relaxed);
        return next_++;
    }
    void end(std::uint64_t index, xcclResult_t result) {
        if (next_ - index > kEntryCount) return;  // overwritten since
        Entry& entry = entries_[index & (kEntryCount - 1)];
        entry.ended.store(cycles(), std::memory_order_relaxed);
        entry.result.store(result, std::memory_order_relaxed);
    }

    // A JSON array, oldest first: operation, start in ms since the communicator was made, duration
    // in us (of pending ones: so far), result.
    std::string json() const;

  private:
    struct alignas(64) Entry {
        std::array<std::atomic<std::uint64_t>, 3> operation{};  // an OperationDescriptor
        std::atomic<std::uint64_t> started{0};
        std::atomic<std::uint64_t> ended{0};
        std::atomic<std::int32_t> result{0};
        void store(const OperationDescriptor& descriptor);
        OperationDescriptor load() const;
    };

    std::array<Entry, kEntryCount> entries_;
    std::uint64_t next_ = 0;
    std::uint64_t first_cycles_;
    Clock::time_point first_time_;
};

inline void FlightRecorder::Entry::store(const OperationDescriptor& descriptor) {
    static_assert(sizeof(descriptor) == sizeof(operation));
    std::uint64_t words[3];
    __builtin_memcpy(words, &descriptor, sizeof words);
    // Compilers do not unroll loops over atomics.
    operation[0].store(words[0], std::memory_order_relaxed);
    operation[1].store(words[1], std::memory_order_relaxed);
    operation[2].store(words[2], std::memory_order_relaxed);
}

}  // namespace xccl
