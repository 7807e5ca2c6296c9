// A permutation of [0, count) that is computed, not stored: no memory, any position at once, the
// same on every rank and machine.
//
// A Feistel network of four rounds permutes the smallest [0, 4^k) that holds count; a value that
// lands at count or beyond is sent through again until it falls inside ("cycle walking"). That
// ends, because the network is a permutation and the walk began inside; 4^k < 4 count, so it takes
// fewer than four trips on average.
#pragma once

#include <cstdint>

namespace xccl::trainer {

class Permutation {
  public:
    // count >= 1. Another key gives another, unrelated order.
    Permutation(std::uint64_t count, std::uint64_t key);

    // index < count.
    std::uint64_t operator()(std::uint64_t index) const;

  private:
    std::uint64_t shuffle(std::uint64_t value) const;

    std::uint64_t count_;
    std::uint64_t key_;
    int half_bits_;
};

// A well-mixed 64-bit function of its input: for keys that must not resemble each other.
std::uint64_t mixed_bits(std::uint64_t value);

}  // namespace xccl::trainer
