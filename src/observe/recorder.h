// The flight recorder: the last operations of one communicator, always on.
//
// begin() and end() write one cache line each; nothing is formatted until somebody asks. The writer
// holds the communicator's lock; a dump may come from any thread at any time and reads whatever is
// there, so every field is a relaxed atomic.
//
// Two looks at the cycle counter would be a third of a small operation. So they are apart from the
// rest, and the caller's to take: start_clock() where it waits anyway or has much to do, and
// stop_clock() where that took long.
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
        entry.started.store(0, std::memory_order_relaxed);
        entry.ended.store(0, std::memory_order_relaxed);
        entry.result.store(xcclInProgress, std::memory_order_relaxed);
        return next_++;
    }
    // Does nothing if the clock of that operation runs.
    void start_clock(std::uint64_t index) {
        Entry* const entry = find(index);
        if (entry == nullptr || entry->started.load(std::memory_order_relaxed) != 0) return;
        entry->started.store(cycles(), std::memory_order_relaxed);
    }
    void stop_clock(std::uint64_t index) {
        if (Entry* const entry = find(index)) {
            entry->ended.store(cycles(), std::memory_order_relaxed);
        }
    }
    void end(std::uint64_t index, xcclResult_t result) {
        if (Entry* const entry = find(index)) {
            entry->result.store(result, std::memory_order_relaxed);
        }
    }

    // A JSON array, oldest first: operation, start in ms since the communicator was made, duration
    // in us (of pending ones: so far), result. Null: the clock was not looked at.
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

    // Null: overwritten since.
    Entry* find(std::uint64_t index) {
        return next_ - index > kEntryCount ? nullptr : &entries_[index & (kEntryCount - 1)];
    }

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
