// Operands in each level of this machine's memory.
//
// A level is a span of sources and a span of destinations, cut into sets of equal traffic. One call
// works on one set, the next call on the next, so that together they go round a working set that
// fits the level and no level before it. Sources are never written: what is timed always reads the
// same ordinary numbers, in every datatype.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace xccl::bench {

// Every byte of the sources. It makes an ordinary number in each datatype: 1.5 in float8_e4m3, 1 in
// float8_e5m2, 1.06 in float16, about 0.01 in bfloat16 and float32, 1.5e-18 in float64.
constexpr std::byte kSourceByte{0x3c};

struct LevelShape {
    std::string name;
    std::size_t call_bytes;   // read and written by one call
    std::size_t total_bytes;  // by a round over all sets
};

// L1, L2, L3 and DRAM, from the sizes of the first processor's caches.
std::vector<LevelShape> level_shapes();

class Level {
  public:
    explicit Level(const LevelShape& shape);
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Level(Level&&) = delete;
    Level& operator=(Level&&) = delete;
    ~Level();

    const LevelShape& shape() const { return shape_; }
    std::size_t set_count() const { return shape_.total_bytes / shape_.call_bytes; }
    // Goes on where it stopped, whoever asked before: no case meets what a cache still holds.
    std::size_t next_set() { return next_ = next_ + 1 < set_count() ? next_ + 1 : 0; }
    // Where a set's sources and destinations begin; each has `call_bytes` of room.
    const std::byte* sources(std::size_t set) const { return sources_ + set * shape_.call_bytes; }
    std::byte* destinations(std::size_t set) const {
        return destinations_ + set * shape_.call_bytes;
    }

  private:
    LevelShape shape_;
    std::byte* sources_;
    std::byte* destinations_;
    std::size_t next_ = 0;
};

}  // namespace xccl::bench
