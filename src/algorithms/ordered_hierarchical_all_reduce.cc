// Ordered hierarchical all-reduce: the hierarchy for reproducible mode, whatever the placement.
//
// A node may combine in advance only what the canonical tree combines: those of its ranks that make
// up a whole block of the tree. The partial results of its blocks travel to the other nodes as they
// are, uncombined, and every node evaluates the rest of the tree.
//
//     1  in each node   everyone sends chunk c to the node's rank c, which combines the blocks
//     2  across nodes   the ranks c of all nodes exchange their partial results, and combine them
//     3  in each node   the result of chunk c goes to everyone
//
// There are as many chunks as the smallest node has ranks. With nodes of a power of two of ranks in
// order, each has one block, so as little crosses as in a direct exchange that may combine as it
// likes; with ranks dealt out in turn every block is a single rank, and all inputs cross.
//
//     rounds           3 (one more for each further block of a node)
//     bytes per rank   N nodes of m ranks, B blocks each: inside 2 (m - 1) / m * buffer, between
//                      nodes B (N - 1) / m * buffer
//
// n = 6, nodes of 0 1 2 and 3 4 5: blocks 01, 2 and 3, 45. Ranks 0 and 3 have chunk 0, and swap
// (x0 x1) and x2 for x3 and (x4 x5); both compute ((x0 x1) (x2 x3)) (x4 x5).
#include <algorithm>

#include "algorithms/canonical_tree.h"
#include "algorithms/compose.h"
#include "algorithms/generators.h"

namespace xccl {
namespace {

class Writer {
  public:
    explicit Writer(const Shape& shape) : nodes_(ranks_by_node(shape)) {
        std::size_t smallest = static_cast<std::size_t>(shape.rank_count);
        for (std::size_t node = 0; node < nodes_.size(); ++node) {
            const std::vector<int>& ranks = nodes_[node];
            smallest = std::min(smallest, ranks.size());
            blocks_.push_back(blocks_of(ranks, shape.rank_count));
            turns_ = std::max(turns_, blocks_.back().size());
            const auto found = std::find(ranks.begin(), ranks.end(), shape.rank);
            if (found == ranks.end()) continue;
            node_ = node;
            chunk_ = static_cast<int>(found - ranks.begin());
        }
        schedule_ = schedule_for(shape, Contract::kAllReduce, static_cast<int>(smallest));
        is_handler_ = chunk_ < static_cast<int>(smallest);
    }

    Schedule run() {
        send_to_handlers();
        if (is_handler_) {
            combine_blocks();
            exchange();
        }
        share_out();
        schedule_.scratch_count = rows_ * schedule_.chunk_count;
        return std::move(schedule_);
    }

  private:
    int handler_of(std::uint32_t chunk) const { return nodes_[node_][chunk]; }

    // Scratch cells for partial results of this rank's chunk, one after the other.
    Cell spare() { return scratch(static_cast<int>(rows_++ * schedule_.chunk_count) + chunk_); }

    void send_to_handlers() {
        for (std::uint32_t chunk = 0; chunk < schedule_.chunk_count; ++chunk) {
            if (handler_of(chunk) == schedule_.rank) continue;
            schedule_.at(0, send(static_cast<int>(chunk), handler_of(chunk)));
        }
    }

    void combine_blocks() {
        for (const Block& block : blocks_[node_]) {
            std::vector<CanonicalTerm> terms;
            for (int r = block.first; r < block.last; ++r) {
                terms.push_back({{r, r + 1}, {r == schedule_.rank ? -1 : r, Cell(chunk_)}});
            }
            if (terms.size() == 1 && terms[0].term.peer < 0) {
                partials_.push_back(terms[0]);
                continue;
            }
            const Cell cell = spare();
            add_canonical(schedule_, 0, cell, terms, [&] { return spare(); });
            partials_.push_back({block, {-1, cell}});
        }
    }

    // The k-th partial results of all nodes cross at the same time: nobody sends more than one
    // message ahead of what it receives.
    void exchange() {
        const std::vector<CanonicalTerm> own = partials_;
        for (std::size_t turn = 0; turn < turns_; ++turn) {
            const int round = 1 + static_cast<int>(turn);
            for (std::size_t node = 0; node < nodes_.size() && turn < own.size(); ++node) {
                if (node == node_) continue;
                schedule_.at(round, send(own[turn].term.cell, nodes_[node][chunk_]));
            }
            for (std::size_t node = 0; node < nodes_.size(); ++node) {
                if (node == node_ || turn >= blocks_[node].size()) continue;
                partials_.push_back({blocks_[node][turn], arrival(round, nodes_[node][chunk_])});
            }
        }
        std::sort(partials_.begin(), partials_.end(),
                  [](const auto& a, const auto& b) { return a.block.first < b.block.first; });
        add_canonical(schedule_, static_cast<int>(turns_), Cell(chunk_), partials_,
                      [&] { return spare(); });
    }

    // A peer's only message can be combined as it comes; the first of several must be kept.
    Verb::Term arrival(int round, int peer) {
        if (turns_ == 1) return {peer, Cell(chunk_)};
        const Cell kept = spare();
        schedule_.at(round, recv(kept, peer));
        return {-1, kept};
    }

    void share_out() {
        const int round = 1 + static_cast<int>(turns_);
        for (int peer : nodes_[node_]) {
            if (is_handler_ && peer != schedule_.rank) {
                schedule_.at(round, send(chunk_, peer));
            }
        }
        for (std::uint32_t chunk = 0; chunk < schedule_.chunk_count; ++chunk) {
            if (handler_of(chunk) == schedule_.rank) continue;
            schedule_.at(round, recv(static_cast<int>(chunk), handler_of(chunk)));
        }
    }

    const std::vector<std::vector<int>> nodes_;
    std::vector<std::vector<Block>> blocks_;  // by node
    std::size_t turns_ = 0;                   // the most blocks of a node
    Schedule schedule_;
    std::size_t node_ = 0;
    int chunk_ = 0;            // this rank's index in its node, and the chunk that it handles
    bool is_handler_ = false;  // or not, if other nodes are smaller
    std::vector<CanonicalTerm> partials_;
    std::uint32_t rows_ = 0;
};

}  // namespace

Schedule ordered_hierarchical_all_reduce(const Shape& shape) {
    return Writer(shape).run();
}

}  // namespace xccl
