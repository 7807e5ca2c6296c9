// Generating and proving an algorithm at a shape, for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "algorithms/registry.h"
#include "schedule/contract.h"
#include "schedule/verify.h"

namespace xccl::testing {

inline Result<std::vector<Steps>> compile_all(const Algorithm& algorithm, Shape shape,
                                              const CompileOptions& options = {}) {
    std::vector<Steps> ranks;
    for (shape.rank = 0; shape.rank < shape.rank_count; ++shape.rank) {
        XCCL_ASSIGN(Steps steps, compile(algorithm.generate(shape), options));
        ranks.push_back(std::move(steps));
    }
    return ranks;
}

inline VerifyOptions verify_options(const Algorithm& algorithm, const Shape& shape) {
    VerifyOptions options;
    options.contract = algorithm.contract;
    options.root = shape.root;
    return options;
}

inline bool works_in_place(Contract contract) {
    return contract != Contract::kAllToAll;
}

// `node_size` ranks on each node, the last one with what is left; dealt out in turn if
// `interleaved`. 0: all on one node.
inline Shape shape_of(int rank_count, int root = 0, int node_size = 0, bool interleaved = false) {
    Shape shape;
    shape.rank_count = rank_count;
    shape.root = root;
    const int node_count = node_size == 0 ? 1 : (rank_count + node_size - 1) / node_size;
    for (int rank = 0; node_size > 0 && rank < rank_count; ++rank) {
        shape.node_of_rank.push_back(interleaved ? rank % node_count : rank / node_size);
    }
    return shape;
}

inline Shape shape_of_nodes(const std::vector<int>& node_sizes) {
    Shape shape;
    shape.rank_count = 0;
    for (std::size_t node = 0; node < node_sizes.size(); ++node) {
        shape.rank_count += node_sizes[node];
        shape.node_of_rank.resize(shape.rank_count, static_cast<int>(node));
    }
    return shape;
}

inline std::string name_of(const Algorithm& algorithm, const Shape& shape) {
    return std::string(algorithm.name) + ", " + std::to_string(shape.rank_count) + " ranks, root " +
           std::to_string(shape.root);
}

// By name, for parametrized tests.
inline std::vector<const Algorithm*> every_algorithm() {
    std::vector<const Algorithm*> all;
    for (const Algorithm& algorithm : all_algorithms()) all.push_back(&algorithm);
    return all;
}

}  // namespace xccl::testing
