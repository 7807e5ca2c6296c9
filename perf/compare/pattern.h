// What inputs hold, and what outputs must hold then.
//
// A block of an input repeats 61 small whole numbers, so that sums of float32 are exact in any
// order. Where it begins depends on the rank, on the rank that it is for, and on the call: 61 is
// prime, so that a chunk that lands a power of two away, in another block or a call too late is
// wrong.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "library.h"

namespace xccl::compare {

class Pattern {
  public:
    Pattern(Operation operation, std::size_t block, int rank, int rank_count)
        : operation_(operation), block_(block), rank_(rank), rank_count_(rank_count) {}

    // A broadcast's input is only its root's.
    void write_input(std::span<float> input, int call) const;
    // Empty if every element is right.
    std::string difference(std::span<const float> output, int call) const;

  private:
    static constexpr std::size_t kPeriod = 61;
    static constexpr std::size_t kPeriods = 16;  // in a row, so that they are copied by the page
    using Row = std::array<float, kPeriod * kPeriods>;

    static Row sent(int from, int to, int call);
    static Row summed(int rank_count, int to, int call);
    Row received(std::size_t place, int call) const;

    Operation operation_;
    std::size_t block_;
    int rank_;
    int rank_count_;
};

}  // namespace xccl::compare
