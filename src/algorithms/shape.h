// All that an algorithm may know: who I am among whom, and which ranks share a node.
#pragma once

#include <vector>

#include "schedule/schedule.h"

namespace xccl {

struct Shape {
    int rank = 0;
    int rank_count = 1;
    int root = 0;                   // of rooted collectives
    std::vector<int> node_of_rank;  // [rank_count], any numbering; empty: all on one node
};

// `value` modulo n, never negative.
inline int wrap(int value, int n) {
    return (value % n + n) % n;
}

inline Schedule schedule_for(const Shape& shape, Contract contract, int chunk_count,
                             int max_span = 1) {
    Schedule schedule;
    schedule.contract = contract;
    schedule.rank = shape.rank;
    schedule.rank_count = shape.rank_count;
    schedule.root = shape.root;
    schedule.chunk_count = static_cast<std::uint32_t>(chunk_count);
    schedule.max_span = static_cast<std::uint32_t>(max_span);
    return schedule;
}

}  // namespace xccl
