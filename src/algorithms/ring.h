// A ring of n ranks and n chunks, seen from one rank.
#pragma once

#include "algorithms/shape.h"

namespace xccl {

struct Ring {
    int rank;
    int rank_count;
    explicit Ring(const Shape& shape) : rank(shape.rank), rank_count(shape.rank_count) {}
    // The chunk (or rank) `distance` further on than this rank.
    int at(int distance) const { return wrap(rank + distance, rank_count); }
    int next() const { return at(1); }
    int previous() const { return at(-1); }
};

}  // namespace xccl
