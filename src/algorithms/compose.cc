#include "algorithms/compose.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/assert.h"

namespace xccl {
namespace {

// Consecutive outer chunks, as cells of at most max_span.
std::vector<Cell> runs_of(const Cell& cell, const ChunkMap& chunks, std::uint32_t max_span) {
    XCCL_ASSERT(cell.where == Cell::Where::kWork);
    std::vector<Cell> runs;
    for (std::uint32_t i = 0; i < cell.span; ++i) {
        for (int chunk : chunks(static_cast<int>(cell.chunk + i))) {
            const auto next = static_cast<std::uint32_t>(chunk);
            if (!runs.empty() && runs.back().span < max_span &&
                runs.back().chunk + runs.back().span == next) {
                ++runs.back().span;
            } else {
                runs.push_back(work(chunk, 1));
            }
        }
    }
    return runs;
}

// The verbs, one per run, that stand for an inner one.
std::vector<Verb> verbs_of(const Verb& inner, const Group& group, const ChunkMap& chunks,
                           std::uint32_t max_span) {
    std::vector<Verb> verbs;
    if (inner.kind == Verb::Kind::kCopy) return verbs;
    for (const Cell& run : runs_of(inner.cell, chunks, max_span)) {
        Verb verb = inner;
        verb.cell = run;
        if (verb.peer >= 0) verb.peer = group.ranks[verb.peer];
        for (Verb::Term& term : verb.terms) {
            // In a generator's reduction every term is the very chunk that is reduced.
            XCCL_ASSERT(term.peer >= 0 || term.cell == inner.cell);
            if (term.peer >= 0) {
                term.peer = group.ranks[term.peer];
            } else {
                term.cell = run;
            }
        }
        verbs.push_back(std::move(verb));
    }
    return verbs;
}

}  // namespace

ChunkMap scaled_chunks(int first, int scale) {
    return [first, scale](int inner_chunk) {
        std::vector<int> chunks(scale);
        std::iota(chunks.begin(), chunks.end(), first + inner_chunk * scale);
        return chunks;
    };
}

void embed(Schedule& outer, const Schedule& inner, const Group& group, const ChunkMap& chunks) {
    XCCL_ASSERT(inner.strands.size() == 1 && inner.scratch_count == 0);
    for (const Round& round : inner.strands[0].rounds) {
        std::vector<std::vector<Verb>> parts;
        std::size_t turns = 0;
        for (const Verb& verb : round) {
            parts.push_back(verbs_of(verb, group, chunks, outer.max_span));
            turns = std::max(turns, parts.back().size());
        }
        Round embedded;
        for (std::size_t turn = 0; turn < turns; ++turn) {
            for (std::vector<Verb>& verbs : parts) {
                if (turn < verbs.size()) embedded.push_back(std::move(verbs[turn]));
            }
        }
        outer.round(std::move(embedded));
    }
}

std::vector<std::vector<int>> ranks_by_node(const Shape& shape) {
    std::map<int, std::size_t> index_of_node;
    std::vector<std::vector<int>> nodes;
    for (int rank = 0; rank < shape.rank_count; ++rank) {
        const int node = shape.node_of_rank.empty() ? 0 : shape.node_of_rank[rank];
        const auto [entry, is_new] = index_of_node.try_emplace(node, nodes.size());
        if (is_new) nodes.emplace_back();
        nodes[entry->second].push_back(rank);
    }
    return nodes;
}

bool has_equal_nodes(const Shape& shape) {
    const auto nodes = ranks_by_node(shape);
    return nodes.size() > 1 && std::all_of(nodes.begin(), nodes.end(), [&](const auto& ranks) {
               return ranks.size() == nodes[0].size();
           });
}

NodePlace place_among_nodes(const Shape& shape) {
    const auto nodes = ranks_by_node(shape);
    NodePlace place;
    for (std::size_t node = 0; node < nodes.size(); ++node) {
        const auto found = std::find(nodes[node].begin(), nodes[node].end(), shape.rank);
        if (found == nodes[node].end()) continue;
        place.local = {nodes[node], static_cast<int>(found - nodes[node].begin())};
        place.cross.index = static_cast<int>(node);
    }
    for (const auto& ranks : nodes) place.cross.ranks.push_back(ranks[place.local.index]);
    return place;
}

}  // namespace xccl
