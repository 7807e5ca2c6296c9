// Goal: sets of ranks fall into the fewest blocks of the canonical tree, and any blocks are joined
// to exactly that tree. Method: every subset of up to 8 ranks; every way to cut 1 to 40 ranks into
// two interleaved sets, with the joined verbs evaluated as expressions.
#include "algorithms/canonical_tree.h"

#include <gtest/gtest.h>

#include <map>

#include "algorithms/shape.h"
#include "base/limits.h"
#include "schedule/expressions.h"

namespace xccl {
namespace {

TEST(CanonicalTree, BlocksAreThoseOfTheTree) {
    using Blocks = std::vector<Block>;
    EXPECT_EQ(blocks_of({0, 1, 2, 3}, 4), (Blocks{{0, 4}}));
    EXPECT_EQ(blocks_of({0, 1, 2, 3}, 8), (Blocks{{0, 4}}));
    EXPECT_EQ(blocks_of({1, 2}, 4), (Blocks{{1, 2}, {2, 3}})) << "neighbours, but not in the tree";
    EXPECT_EQ(blocks_of({0, 1, 2}, 6), (Blocks{{0, 2}, {2, 3}}));
    EXPECT_EQ(blocks_of({3, 4, 5}, 6), (Blocks{{3, 4}, {4, 6}}));
    EXPECT_EQ(blocks_of({4, 5, 6}, 7), (Blocks{{4, 7}})) << "cut off at n";
    EXPECT_EQ(blocks_of({0, 2, 4}, 6), (Blocks{{0, 1}, {2, 3}, {4, 5}}));
    EXPECT_EQ(blocks_of({}, 6), Blocks{});
}

TEST(CanonicalTree, BlocksMakeUpTheirRanks) {
    for (int n = 1; n <= 8; ++n) {
        for (unsigned set = 0; set < 1u << n; ++set) {
            std::vector<int> ranks, found;
            for (int rank = 0; rank < n; ++rank) {
                if ((set >> rank & 1) != 0) ranks.push_back(rank);
            }
            for (const Block& block : blocks_of(ranks, n)) {
                for (int rank = block.first; rank < block.last; ++rank) found.push_back(rank);
            }
            EXPECT_EQ(found, ranks);
        }
    }
}

// Evaluates reduce verbs over cells: scratch by number, the result in work chunk 0.
class Evaluator {
  public:
    explicit Evaluator(int n) : table_(n, 1) {}
    ExpressionTable& table() { return table_; }
    void set(const Cell& cell, ExpressionId value) { cells_[key(cell)] = value; }
    ExpressionId get(const Cell& cell) { return cells_.at(key(cell)); }
    void run(const Schedule& schedule) {
        for (const Verb& verb : schedule.strands[0].rounds.at(0)) {
            ASSERT_EQ(verb.kind, Verb::Kind::kReduce);
            ASSERT_LE(verb.terms.size(), kMaxReduceSources);
            std::vector<ExpressionId> terms;
            for (const Verb::Term& term : verb.terms) terms.push_back(get(term.cell));
            set(verb.cell, table_.combine_all(terms));
        }
    }

  private:
    static std::pair<int, std::uint32_t> key(const Cell& cell) {
        return {static_cast<int>(cell.where), cell.chunk};
    }
    ExpressionTable table_;
    std::map<std::pair<int, std::uint32_t>, ExpressionId> cells_;
};

TEST(CanonicalTree, AnyBlocksJoinToTheTree) {
    for (int n : {1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 31, 40, 65, 130}) {
        for (int stride = 1; stride <= n; ++stride) {
            std::vector<int> sets[2];  // ranks are dealt out in runs of `stride`
            for (int rank = 0; rank < n; ++rank) sets[rank / stride % 2].push_back(rank);
            Evaluator evaluator(n);
            std::vector<CanonicalTerm> terms;
            int cells = 0;
            for (const auto& ranks : sets) {
                for (const Block& block : blocks_of(ranks, n)) {
                    std::vector<ExpressionId> leaves;
                    for (int rank = block.first; rank < block.last; ++rank) {
                        leaves.push_back(evaluator.table().leaf(rank, 0));
                    }
                    terms.push_back({block, {-1, scratch(cells++)}});
                    evaluator.set(terms.back().term.cell, evaluator.table().combine_all(leaves));
                }
            }
            std::sort(terms.begin(), terms.end(),
                      [](const auto& a, const auto& b) { return a.block.first < b.block.first; });
            Schedule schedule = schedule_for({0, n, 0, {}}, Contract::kAllReduce, 1);
            add_canonical(schedule, 0, Cell(0), terms, [&] { return scratch(cells++); });
            evaluator.run(schedule);
            EXPECT_EQ(evaluator.get(Cell(0)), evaluator.table().canonical(0, Rounding::kNone))
                << n << " ranks, dealt out by " << stride;
        }
    }
}

}  // namespace
}  // namespace xccl
