// What floors have in common in which rank r sums part r of every chunk: one chunk ahead with
// showing inputs, so that nobody waits for who has just begun, and one behind with fetching sums.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "floor_algorithms.h"

namespace xccl::compare {

class FloorInPhases : public FloorAlgorithm {
  public:
    // A chunk is a slot for each rank.
    FloorInPhases(std::string name, FloorSegment& segment, std::size_t slot_bytes)
        : FloorAlgorithm(std::move(name)),
          segment_(segment),
          slot_bytes_(slot_bytes),
          ranks_(static_cast<std::size_t>(segment.rank_count())) {}
    void run(const FloorWork& work) final {
        const std::size_t chunks = (work.count + chunk_floats() - 1) / chunk_floats();
        show(work, 0);
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
            if (chunk + 1 < chunks) show(work, chunk + 1);
            sum(work, chunk);
            if (chunk > 0) fetch(work, chunk - 1);
        }
        fetch(work, chunks - 1);
        done_ += chunks;
    }

  protected:
    struct Part {
        std::size_t start = 0;
        std::size_t count = 0;
    };
    virtual void show(const FloorWork& work, std::size_t chunk) = 0;
    virtual void sum(const FloorWork& work, std::size_t chunk) = 0;
    virtual void fetch(const FloorWork& work, std::size_t chunk) = 0;

    // All parts of the last chunk are shorter, so that all ranks have some of it.
    Part part_of(const FloorWork& work, std::size_t chunk, int rank) const {
        constexpr std::size_t kLine = 16;
        const std::size_t first = chunk * chunk_floats();
        const std::size_t whole = std::min(chunk_floats(), work.count - first);
        const std::size_t share = ((whole + ranks_ - 1) / ranks_ + kLine - 1) / kLine * kLine;
        const std::size_t start = std::min(share * static_cast<std::size_t>(rank), whole);
        return {.start = first + start, .count = std::min(share, whole - start)};
    }
    std::size_t chunk_floats() const { return slot_bytes_ / sizeof(float) * ranks_; }
    // Of a chunk among those of all calls.
    std::uint64_t number_of(std::size_t chunk) const { return done_ + chunk; }
    FloorCounter* counter(std::size_t offset) const {
        return segment_.at<FloorCounter>(segment_.rank(), offset);
    }
    FloorSegment& segment() const { return segment_; }
    std::size_t slot_bytes() const { return slot_bytes_; }
    std::size_t ranks() const { return ranks_; }

  private:
    FloorSegment& segment_;
    std::size_t slot_bytes_;
    std::size_t ranks_;
    std::uint64_t done_ = 0;  // chunks of all calls before
};

}  // namespace xccl::compare
