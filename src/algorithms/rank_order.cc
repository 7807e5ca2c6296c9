#include "algorithms/rank_order.h"

#include <algorithm>

#include "base/limits.h"

namespace xccl {
namespace {

constexpr int kBlock = static_cast<int>(kMaxReduceSources);
static_assert((kBlock & (kBlock - 1)) == 0, "blocks must be subtrees of the canonical tree");

std::vector<Verb::Term> terms_of(const Schedule& schedule, int chunk, int first, int last) {
    std::vector<Verb::Term> terms;
    for (int rank = first; rank < last; ++rank) {
        Verb::Term term;
        if (rank == schedule.rank) {
            term.cell = Cell(chunk);
        } else {
            term.peer = rank;
        }
        terms.push_back(term);
    }
    return terms;
}

int block_count_of(int rank_count) {
    return (rank_count + kBlock - 1) / kBlock;
}

}  // namespace

std::uint32_t rank_order_scratch(int rank_count, int chunk_count) {
    return rank_count <= kBlock
               ? 0
               : static_cast<std::uint32_t>(block_count_of(rank_count) * chunk_count);
}

void reduce_in_rank_order(Schedule& schedule, int round, int chunk) {
    const int n = schedule.rank_count;
    if (n <= kBlock) {
        schedule.at(round, reduce(chunk, terms_of(schedule, chunk, 0, n)));
        return;
    }
    std::vector<Verb::Term> blocks;
    for (int block = 0; block < block_count_of(n); ++block) {
        Verb::Term term;
        term.cell = scratch(block * static_cast<int>(schedule.chunk_count) + chunk);
        const int last = std::min(n, (block + 1) * kBlock);
        Verb partial = reduce(chunk, terms_of(schedule, chunk, block * kBlock, last));
        partial.cell = term.cell;
        schedule.at(round, std::move(partial));
        blocks.push_back(term);
    }
    schedule.at(round, reduce(chunk, std::move(blocks)));
}

}  // namespace xccl
