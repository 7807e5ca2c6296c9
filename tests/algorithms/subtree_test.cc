// Goal: subtrees are what the header says: each rank's block passes every edge above it, once.
// Method: all sizes up to 20, and roots.
#include "algorithms/subtree.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

Subtree subtree(int rank, int n, int root) {
    return Subtree({rank, n, root, {}});
}

TEST(Subtree, ParentsAndChildrenKnowEachOther) {
    for (int n = 1; n <= 20; ++n) {
        for (int root : {0, n / 2}) {
            int edges = 0;
            for (int rank = 0; rank < n; ++rank) {
                const Subtree tree = subtree(rank, n, root);
                EXPECT_EQ(tree.rank_at(tree.self), rank);
                for (int level = 0; level < tree.level(); ++level) {
                    if (!tree.has_child(level)) continue;
                    const Subtree child = subtree(tree.rank_at(tree.child(level)), n, root);
                    EXPECT_EQ(child.level(), level);
                    EXPECT_EQ(child.parent(), tree.self);
                    ++edges;
                }
            }
            EXPECT_EQ(edges, n - 1);
        }
    }
}

TEST(Subtree, MessagesCarryTheSubtreeWithTheOwnBlockApart) {
    for (int n = 2; n <= 20; ++n) {
        for (int root : {0, n / 2}) {
            for (int rank = 0; rank < n; ++rank) {
                const Subtree tree = subtree(rank, n, root);
                if (tree.self == 0) continue;
                const auto messages = tree.messages(tree.self, tree.level());
                EXPECT_EQ(messages[0], work(rank, 1));
                int blocks = 0;
                for (const Cell& cell : messages) {
                    blocks += static_cast<int>(cell.span);
                    EXPECT_LE(cell.span, static_cast<std::uint32_t>(tree.max_span()));
                }
                EXPECT_EQ(blocks, std::min(1 << tree.level(), n - tree.self));
            }
        }
    }
}

}  // namespace
}  // namespace xccl
