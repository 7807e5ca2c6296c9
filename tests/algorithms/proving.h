// Generating and proving an algorithm at a shape, for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "algorithms/registry.h"
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

// `node_size` ranks on each node, the last one with what is left.
inline Shape shape_of(int rank_count, int root = 0, int node_size = 0) {
    Shape shape;
    shape.rank_count = rank_count;
    shape.root = root;
    for (int rank = 0; node_size > 0 && rank < rank_count; ++rank) {
        shape.node_of_rank.push_back(rank / node_size);
    }
    return shape;
}

inline std::string name_of(const Algorithm& algorithm, const Shape& shape) {
    return std::string(algorithm.name) + ", " + std::to_string(shape.rank_count) + " ranks, root " +
           std::to_string(shape.root);
}

}  // namespace xccl::testing
