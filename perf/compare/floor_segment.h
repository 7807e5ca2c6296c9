// The memory that all ranks of the floor share: a region for each rank, with the same layout.
#pragma once

#include <immintrin.h>
#include <sched.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "floor_sums.h"

namespace xccl::compare {

// Counts up, from call to call. Two lines, since cores fetch lines in pairs.
struct alignas(128) FloorCounter {
    std::atomic<std::uint64_t> value{0};

    void publish(std::uint64_t now) { value.store(now, std::memory_order_release); }
};

class FloorSegment {
  public:
    // Of rank 0, where the others find it through the folder. It is gone with the last of them.
    FloorSegment(int rank, int rank_count, const std::string& folder);

    int rank() const { return rank_; }
    int rank_count() const { return rank_count_; }
    bool is_crowded() const { return is_crowded_; }

    // An offset that is the same on all ranks, if all take the same in the same order.
    std::size_t take(std::size_t bytes);
    template <class Type>
    Type* at(int rank, std::size_t offset) const {
        return reinterpret_cast<Type*>(base_ + static_cast<std::size_t>(rank) * kRegionBytes +
                                       offset);
    }

    // Buffers of the caller's; all are given back before the first is taken anew.
    void* allocate(std::size_t bytes);
    void free(std::size_t bytes);
    bool holds(const void* memory) const;
    std::size_t offset_of(const void* memory) const {
        return static_cast<std::size_t>(static_cast<const char*>(memory) - at<char>(rank_, 0));
    }
    // Maps all ranks' pages of these offsets here, so that no call meets them first.
    void populate(std::size_t offset, std::size_t bytes);

    // Returns when the counter is at least `value`. Where ranks outnumber cores the one that is
    // waited for needs this core.
    void await(const std::atomic<std::uint64_t>& counter, std::uint64_t value) const {
        while (counter.load(std::memory_order_acquire) < value) {  // pairs with publish()
            if (is_crowded_) {
                sched_yield();
            } else {
                _mm_pause();
            }
        }
    }
    // Of all other ranks.
    void await_all(std::size_t counter_offset, std::uint64_t value) const {
        for (int step = 1; step < rank_count_; ++step) {
            const int peer = (rank_ + step) % rank_count_;
            await(at<FloorCounter>(peer, counter_offset)->value, value);
        }
    }

  private:
    static constexpr std::size_t kOwnBytes = std::size_t{64} << 20;    // what take() hands out
    static constexpr std::size_t kRegionBytes = std::size_t{4} << 30;  // of which little is touched

    int rank_;
    int rank_count_;
    bool is_crowded_;
    int file_ = -1;
    char* base_ = nullptr;
    std::size_t taken_ = 0;
    std::size_t allocated_ = kOwnBytes;
    std::size_t populated_ = kOwnBytes;
    std::size_t held_bytes_ = 0;
};

}  // namespace xccl::compare
