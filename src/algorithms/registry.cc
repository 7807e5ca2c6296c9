#include "algorithms/registry.h"

#include <algorithm>
#include <bit>

#include "algorithms/canonical_tree.h"
#include "algorithms/compose.h"
#include "algorithms/generators.h"
#include "base/limits.h"

namespace xccl {
namespace {

// One step combines the blocks of kMaxReduceSources ranks that another, or others, have combined.
bool fits_two_reductions(const Shape& shape) {
    constexpr std::size_t kMost = kMaxReduceSources * kMaxReduceSources;
    return static_cast<std::size_t>(shape.rank_count) <= kMost;
}

bool is_power_of_two(const Shape& shape) {
    return std::has_single_bit(static_cast<unsigned>(shape.rank_count));
}

bool has_nodes(const Shape& shape) {
    return ranks_by_node(shape).size() > 1;
}

// Where each node has one rank, there is nobody to lead.
bool has_nodes_of_several(const Shape& shape) {
    const std::size_t nodes = ranks_by_node(shape).size();
    return nodes > 1 && nodes < static_cast<std::size_t>(shape.rank_count);
}

// Cells of scratch for one rank, at the most: a partial result of each block, as many again on the
// way to the sum, and all of it in as many columns as there are chunks. Each may be a slot long.
bool has_nodes_of_few_blocks(const Shape& shape) {
    constexpr std::size_t kMostCells = 4096;
    std::size_t blocks = 0;
    std::size_t smallest = static_cast<std::size_t>(shape.rank_count), largest = 0;
    const auto nodes = ranks_by_node(shape);
    for (const auto& ranks : nodes) {
        blocks += blocks_of(ranks, shape.rank_count).size();
        smallest = std::min(smallest, ranks.size());
        largest = std::max(largest, ranks.size());
    }
    return nodes.size() > 1 && 2 * (blocks + largest / kMaxReduceSources) * smallest <= kMostCells;
}

// clang-format off
constexpr Algorithm kAlgorithms[] = {
    {"direct_all_reduce", direct_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kAlways, fits_two_reductions},
    {"direct_two_phase_all_reduce", direct_two_phase_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kAlways, fits_two_reductions},
    {"ring_all_reduce", ring_all_reduce, Contract::kAllReduce, Symmetry::kRotation, Canonical::kNever, nullptr},
    {"halving_doubling_all_reduce", halving_doubling_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kPowersOfTwo, nullptr},
    {"double_tree_all_reduce", double_tree_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kNever, nullptr},
    {"binomial_all_reduce", binomial_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kAlways, nullptr},
    {"hierarchical_all_reduce", hierarchical_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kNever, has_nodes},
    {"leader_all_reduce", leader_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kNever, has_nodes_of_several},
    {"ordered_hierarchical_all_reduce", ordered_hierarchical_all_reduce, Contract::kAllReduce, Symmetry::kNone, Canonical::kAlways, has_nodes_of_few_blocks},
    {"direct_reduce", direct_reduce, Contract::kReduce, Symmetry::kNone, Canonical::kAlways, fits_two_reductions},
    {"binomial_reduce", binomial_reduce, Contract::kReduce, Symmetry::kNone, Canonical::kAlways, nullptr},
    {"chain_reduce", chain_reduce, Contract::kReduce, Symmetry::kNone, Canonical::kNever, nullptr},
    {"direct_broadcast", direct_broadcast, Contract::kBroadcast, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"binomial_broadcast", binomial_broadcast, Contract::kBroadcast, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"chain_broadcast", chain_broadcast, Contract::kBroadcast, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"direct_all_gather", direct_all_gather, Contract::kAllGather, Symmetry::kRotation, Canonical::kDoesNotCombine, nullptr},
    {"ring_all_gather", ring_all_gather, Contract::kAllGather, Symmetry::kRotation, Canonical::kDoesNotCombine, nullptr},
    {"doubling_all_gather", doubling_all_gather, Contract::kAllGather, Symmetry::kNone, Canonical::kDoesNotCombine, is_power_of_two},
    {"bruck_all_gather", bruck_all_gather, Contract::kAllGather, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"hierarchical_all_gather", hierarchical_all_gather, Contract::kAllGather, Symmetry::kNone, Canonical::kDoesNotCombine, has_equal_nodes},
    {"direct_reduce_scatter", direct_reduce_scatter, Contract::kReduceScatter, Symmetry::kNone, Canonical::kAlways, fits_two_reductions},
    {"ring_reduce_scatter", ring_reduce_scatter, Contract::kReduceScatter, Symmetry::kRotation, Canonical::kNever, nullptr},
    {"halving_reduce_scatter", halving_reduce_scatter, Contract::kReduceScatter, Symmetry::kNone, Canonical::kNever, is_power_of_two},
    {"circulant_reduce_scatter", circulant_reduce_scatter, Contract::kReduceScatter, Symmetry::kNone, Canonical::kNever, nullptr},
    {"grid_reduce_scatter", grid_reduce_scatter, Contract::kReduceScatter, Symmetry::kNone, Canonical::kAlways, fits_two_reductions},
    {"hierarchical_reduce_scatter", hierarchical_reduce_scatter, Contract::kReduceScatter, Symmetry::kNone, Canonical::kNever, has_equal_nodes},
    {"direct_all_to_all", direct_all_to_all, Contract::kAllToAll, Symmetry::kRotation, Canonical::kDoesNotCombine, nullptr},
    {"pairwise_all_to_all", pairwise_all_to_all, Contract::kAllToAll, Symmetry::kRotation, Canonical::kDoesNotCombine, nullptr},
    {"direct_gather", direct_gather, Contract::kGather, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"binomial_gather", binomial_gather, Contract::kGather, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"direct_scatter", direct_scatter, Contract::kScatter, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"binomial_scatter", binomial_scatter, Contract::kScatter, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
    {"dissemination_barrier", dissemination_barrier, Contract::kBarrier, Symmetry::kNone, Canonical::kDoesNotCombine, nullptr},
};
// clang-format on

}  // namespace

std::span<const Algorithm> all_algorithms() {
    return kAlgorithms;
}

const Algorithm* find_algorithm(std::string_view name) {
    for (const Algorithm& algorithm : kAlgorithms) {
        if (name == algorithm.name) return &algorithm;
    }
    return nullptr;
}

}  // namespace xccl
