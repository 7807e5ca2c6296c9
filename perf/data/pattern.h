// What ranks put in, and what must come out: bit for bit, in whatever order sums are taken.
//
// Data repeats with a period of kPeriod elements. So a table of one period is all that is ever
// computed, and filling and checking run as fast as memory. The period is a prime: a chunk that
// lands where another belongs is out of phase, since chunks are no multiples of 1021.
//
// Copies: any bits at all. Integers: any bits; they wrap, which is associative. Floats:
//
//     sum, mulsum  whole numbers, so small (or of so few ranks) that no partial sum needs more
//                  bits than the mantissa has: nothing is ever rounded
//     prod         powers of two by a few ranks, signs by all, one mantissa of two bits by one
//     max, min     whole numbers
//     avg          1/n is rounded, so that 2 units in the last place are allowed; at most two
//                  ranks put in more than zero, and nothing negative, so that it stays at that
#pragma once

#include <cstddef>
#include <cstdint>

#include "data/element_types.h"

namespace xccl::perf {

constexpr std::size_t kPeriod = 1021;
constexpr std::uint64_t kAvgToleranceUlps = 2;

struct Pattern {
    ElementType type;
    Operator op;
    int rank_count;
    std::uint64_t seed;
};

// Elements [first, first + count) of what `rank` puts in.
void fill_input(const Pattern& pattern, int rank, std::size_t first, std::size_t count,
                std::byte* destination);

// Elements [first, first + count) of the combination of all ranks' inputs.
void fill_reduced(const Pattern& pattern, std::size_t first, std::size_t count,
                  std::byte* destination);

// Bits that the patterns hold at no place in particular, for memory that must be overwritten.
void poison(std::byte* destination, std::size_t bytes);

}  // namespace xccl::perf
