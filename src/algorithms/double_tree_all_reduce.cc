// Double binary tree: each half of the buffer is reduced up and broadcast down a binary tree of its
// own; a rank that is an inner node of one tree is a leaf of the other.
//
// So every rank sends and receives about as much as in a ring, at the depth of a tree. The trees
// are strands: they have connections of their own and do not wait for each other.
//
//     rounds           2 floor(log2 n)
//     bytes per rank   2 * buffer at most
//
// Tree over labels 1..n: a label whose lowest set bit is b has the children label - b/2 and
// label + b/2 (or what is left of its subtree). Odd labels are leaves. The first tree labels rank r
// with r + 1; the second, for even n, from the other end, for odd n one further on.
//
//     n = 4      4         1        of ranks: chunk 0 is reduced at rank 3, chunk 1 at rank 0
//               /           \ .
//              2      and    3      (labels of the second tree, mirrored)
//             / \           / \ .
//            1   3         2   4
//
// Sanders, Speck, Traff: Two-tree algorithms for full bandwidth broadcast, reduction and scan,
// 2009.
#include <bit>

#include "algorithms/generators.h"

namespace xccl {
namespace {

int lowest_bit(int label) {
    return label & -label;
}

int level_of(int label) {
    return std::countr_zero(static_cast<unsigned>(label));
}

// 0 for the root. Labels beyond n are passed over: their parents take their children.
int parent_of(int label, int n) {
    const int root = static_cast<int>(std::bit_floor(static_cast<unsigned>(n)));
    if (label == root) return 0;
    do {
        const int bit = lowest_bit(label);
        label = (label - bit) | (2 * bit);
    } while (label > n);
    return label;
}

std::vector<int> children_of(int label, int n) {
    std::vector<int> children;
    const int half = lowest_bit(label) / 2;
    if (half == 0) return children;
    children.push_back(label - half);
    for (int step = half; step > 0; step /= 2) {
        if (label + step > n) continue;
        children.push_back(label + step);
        break;
    }
    return children;
}

struct Labelling {
    int tree;
    int n;
    int of_rank(int rank) const {
        if (tree == 0) return rank + 1;
        return n % 2 == 0 ? n - rank : (rank + 1) % n + 1;
    }
    int rank_of(int label) const {
        if (tree == 0) return label - 1;
        return n % 2 == 0 ? n - label : (label + n - 2) % n;
    }
};

void add_tree(Strand& strand, const Labelling& labels, int rank) {
    const int n = labels.n;
    const int chunk = labels.tree;
    const int label = labels.of_rank(rank);
    const int parent = parent_of(label, n);
    const int top = static_cast<int>(std::bit_width(static_cast<unsigned>(n))) - 1;
    // Leaves are on level 0; what an inner node receives on the way up is in round level - 1.
    const auto up_round = [&](int receiver) { return level_of(receiver) - 1; };
    const auto down_round = [&](int sender) { return 2 * top - level_of(sender); };
    const std::vector<int> children = children_of(label, n);
    for (int child : children) {
        strand.at(up_round(label), recv_reduce(chunk, labels.rank_of(child)));
    }
    if (parent != 0) {
        strand.at(up_round(parent), send(chunk, labels.rank_of(parent)));
        strand.at(down_round(parent), recv(chunk, labels.rank_of(parent)));
    }
    for (int child : children) {
        strand.at(down_round(label), send(chunk, labels.rank_of(child)));
    }
}

}  // namespace

Schedule double_tree_all_reduce(const Shape& shape) {
    Schedule schedule = schedule_for(shape, Contract::kAllReduce, 2);
    schedule.strands.resize(2);
    if (shape.rank_count == 1) return schedule;
    for (int tree = 0; tree < 2; ++tree) {
        add_tree(schedule.strands[tree], {tree, shape.rank_count}, shape.rank);
    }
    return schedule;
}

}  // namespace xccl
