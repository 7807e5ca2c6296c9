// A rank's two buffers, and where in them an operation's data lie.
//
//     | guard | unaligned start | ............ largest size ............ | guard |
//
// Iterations move through the buffers by one size each, so that caches do not stand in for memory.
#pragma once

#include <cstddef>

#include "collectives/collective.h"
#include "data/check.h"

namespace xccl::perf {

constexpr std::size_t kGuardBytes = 64;

// An operation as one rank sees it.
struct Task {
    const Collective* collective;
    Shape shape;
    Pattern pattern;
    int rank;
    bool in_place;

    std::size_t bytes_of(std::size_t count) const { return count * pattern.type.bytes; }
    std::size_t size_bytes() const { return bytes_of(collective->size_count(shape)); }
    // Operations without an in-place form run out of place in either column.
    bool shares_buffer() const { return in_place && collective->in_place != InPlace::kNone; }
};

class RankBuffers {
  public:
    // Shifted by `unaligned_elements`, of any type.
    RankBuffers(std::size_t largest_bytes, std::size_t unaligned_elements);
    ~RankBuffers();
    RankBuffers(const RankBuffers&) = delete;
    RankBuffers& operator=(const RankBuffers&) = delete;
    RankBuffers(RankBuffers&&) = delete;
    RankBuffers& operator=(RankBuffers&&) = delete;

    struct Placement {
        std::byte* send;
        std::byte* receive;
        std::byte* region;  // what may be written: the receive buffer, or what contains both
        std::size_t region_bytes;
        // The next operation lies `stride` further, and operation `places` where the first does.
        std::size_t stride;
        std::size_t places;

        std::size_t offset(long index) const {
            return stride * (static_cast<std::size_t>(index) % places);
        }
    };
    Placement place(const Task& task) const;

    // Puts in what the pattern says, and poison wherever else something may be written or must not.
    void fill(const Task& task) const;
    CheckResult check(const Task& task) const;

    std::byte* send_memory() const { return send_; }
    std::byte* receive_memory() const { return receive_; }
    std::size_t memory_bytes() const { return memory_bytes_; }
    static std::size_t extra_bytes(std::size_t unaligned_elements);

  private:
    std::size_t largest_bytes_;
    std::size_t unaligned_elements_;
    std::size_t memory_bytes_;
    std::byte* send_ = nullptr;
    std::byte* receive_ = nullptr;
};

}  // namespace xccl::perf
