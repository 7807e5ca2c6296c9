// What a schedule costs, counted verb by verb, and what it says of one rank: each algorithm's test
// holds the first lines of its source against these.
#pragma once

#include <algorithm>
#include <string>

#include "algorithms/generators.h"
#include "algorithms/proving.h"
#include "schedule/print.h"

namespace xccl::testing {

using Generator = Schedule (*)(const Shape&);

struct Costs {
    int rounds = 0;                  // of the longest strand of any rank
    std::uint32_t most_sent = 0;     // chunks that one rank sends, the most of any
    std::uint32_t least_sent = 0;    // and the least
    std::uint32_t most_between = 0;  // chunks that one rank sends to other nodes, the most of any
    std::uint32_t chunk_count = 0;   // of a buffer
    // The bytes that a rank sends, in whole buffers.
    double most_buffers() const { return static_cast<double>(most_sent) / chunk_count; }
};

inline Costs costs_of(Generator generate, Shape shape) {
    Costs costs;
    costs.least_sent = UINT32_MAX;
    const auto node_of = [&](int rank) {
        return shape.node_of_rank.empty() ? 0 : shape.node_of_rank[rank];
    };
    for (shape.rank = 0; shape.rank < shape.rank_count; ++shape.rank) {
        const Schedule schedule = generate(shape);
        std::uint32_t sent = 0, between = 0;
        for (const Strand& strand : schedule.strands) {
            costs.rounds = std::max(costs.rounds, static_cast<int>(strand.rounds.size()));
            for (const Round& round : strand.rounds) {
                for (const Verb& verb : round) {
                    if (verb.kind != Verb::Kind::kSend) continue;
                    sent += verb.cell.span;
                    between += node_of(verb.peer) == node_of(shape.rank) ? 0 : verb.cell.span;
                }
            }
        }
        costs.most_sent = std::max(costs.most_sent, sent);
        costs.least_sent = std::min(costs.least_sent, sent);
        costs.most_between = std::max(costs.most_between, between);
        costs.chunk_count = schedule.chunk_count;
    }
    return costs;
}

// Rounds in which a message and its answer fit: ceil(log2 n).
inline int log2_up(int n) {
    int levels = 0;
    while (1 << levels < n) ++levels;
    return levels;
}

// Each kind of number that algorithms treat by itself: powers of two, their neighbours, odd ones.
inline const std::vector<int>& rank_counts() {
    static const std::vector<int> all = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 64, 100};
    return all;
}

// "round 0: ...", a line for each round.
inline std::string rounds_of(Generator generate, Shape shape, int rank) {
    shape.rank = rank;
    const std::string text = print(generate(shape));
    return text.substr(text.find('\n') + 1);
}

}  // namespace xccl::testing
