#include "algorithms/canonical_tree.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/limits.h"

namespace xccl {
namespace {

void find_blocks(const std::vector<int>& ranks, Block all, std::vector<Block>* blocks) {
    const auto first = std::lower_bound(ranks.begin(), ranks.end(), all.first);
    const auto last = std::lower_bound(first, ranks.end(), all.last);
    if (first == last) return;
    if (last - first == all.last - all.first) {
        blocks->push_back(all);
        return;
    }
    const int half = static_cast<int>(std::bit_ceil(static_cast<unsigned>(all.last - all.first)));
    const int middle = all.first + half / 2;
    find_blocks(ranks, {all.first, middle}, blocks);
    find_blocks(ranks, {middle, all.last}, blocks);
}

int size_of(const Block& block) {
    return block.last - block.first;
}

// A reduction's own tree over its terms is the canonical one if they are blocks of one size, the
// last of which may be cut off.
bool are_alike(std::span<const CanonicalTerm> terms) {
    const int size = size_of(terms.front().block);
    return terms.size() <= kMaxReduceSources &&
           std::all_of(terms.begin(), terms.end() - 1,
                       [&](const CanonicalTerm& t) { return size_of(t.block) == size; }) &&
           size_of(terms.back().block) <= size;
}

}  // namespace

std::vector<Block> blocks_of(const std::vector<int>& ranks, int rank_count) {
    std::vector<Block> blocks;
    find_blocks(ranks, {0, rank_count}, &blocks);
    return blocks;
}

void add_canonical(Schedule& schedule, int round, Cell cell, std::span<const CanonicalTerm> terms,
                   const std::function<Cell()>& spare) {
    XCCL_ASSERT(!terms.empty());
    if (are_alike(terms)) {
        std::vector<Verb::Term> flat;
        for (const CanonicalTerm& term : terms) flat.push_back(term.term);
        schedule.at(round, reduce(cell, std::move(flat)));
        return;
    }
    const int first = terms.front().block.first, last = terms.back().block.last;
    const int middle =
        first + static_cast<int>(std::bit_ceil(static_cast<unsigned>(last - first))) / 2;
    const auto cut = std::find_if(terms.begin(), terms.end(), [&](const CanonicalTerm& term) {
        return term.block.first >= middle;
    });
    const auto left_count = static_cast<std::size_t>(cut - terms.begin());
    std::vector<Verb::Term> halves;
    for (const auto& half : {terms.first(left_count), terms.subspan(left_count)}) {
        if (half.size() == 1) {
            halves.push_back(half.front().term);
            continue;
        }
        Verb::Term partial;
        partial.cell = spare();
        add_canonical(schedule, round, partial.cell, half, spare);
        halves.push_back(partial);
    }
    schedule.at(round, reduce(cell, std::move(halves)));
}

}  // namespace xccl
