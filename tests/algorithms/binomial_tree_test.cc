// Goal: binomial trees reach everyone, from every root, in as many rounds as they must take.
// Method: who sends to whom, followed round by round for every size and root up to 33.
#include "algorithms/binomial_tree.h"

#include <gtest/gtest.h>

#include <set>

namespace xccl {
namespace {

struct Edge {
    int from, to;
    bool operator<(const Edge& other) const {
        return std::tie(from, to) < std::tie(other.from, other.to);
    }
};

using Add = void (*)(Schedule&, Cell, int root, int round);

// The messages of each round, and that each has both ends.
std::vector<std::set<Edge>> edges_of(Add add, int n, int root) {
    std::vector<std::set<Edge>> sent, received;
    for (int rank = 0; rank < n; ++rank) {
        Schedule schedule = schedule_for({rank, n, root, {}}, Contract::kAllReduce, 1);
        add(schedule, 0, root, 0);
        const auto& rounds = schedule.strands[0].rounds;
        if (sent.size() < rounds.size()) sent.resize(rounds.size());
        if (received.size() < rounds.size()) received.resize(rounds.size());
        for (std::size_t round = 0; round < rounds.size(); ++round) {
            for (const Verb& verb : rounds[round]) {
                if (verb.kind == Verb::Kind::kSend) {
                    sent[round].insert({rank, verb.peer});
                } else {
                    received[round].insert({verb.peer, rank});
                }
            }
        }
    }
    EXPECT_EQ(sent.size(), received.size());
    for (std::size_t round = 0; round < sent.size(); ++round) {
        EXPECT_TRUE(std::equal(sent[round].begin(), sent[round].end(), received[round].begin(),
                               received[round].end(),
                               [](const Edge& a, const Edge& b) { return !(a < b || b < a); }));
    }
    return sent;
}

TEST(BinomialTree, LevelsAreTheLogarithmRoundedUp) {
    const int expected[] = {0, 1, 2, 2, 3, 3, 3, 3, 4};
    for (int n = 1; n <= 9; ++n) EXPECT_EQ(binomial_levels(n), expected[n - 1]) << n;
}

TEST(BinomialTree, BroadcastReachesEveryoneOnce) {
    for (int n = 1; n <= 33; ++n) {
        for (int root = 0; root < n; ++root) {
            std::set<int> have = {root};
            const auto rounds = edges_of(add_binomial_broadcast, n, root);
            EXPECT_LE(rounds.size(), static_cast<std::size_t>(binomial_levels(n)));
            for (const auto& round : rounds) {
                std::set<int> next = have;
                for (const Edge& edge : round) {
                    EXPECT_TRUE(have.contains(edge.from)) << n << " " << root;
                    EXPECT_TRUE(next.insert(edge.to).second) << n << " " << root;
                }
                have = next;
            }
            EXPECT_EQ(have.size(), static_cast<std::size_t>(n));
        }
    }
}

TEST(BinomialTree, ReduceTakesEveryonesPartOnceAndInBlocks) {
    for (int n = 1; n <= 33; ++n) {
        for (int root = 0; root < n; ++root) {
            std::vector<std::set<int>> held(n);
            for (int rank = 0; rank < n; ++rank) held[rank] = {rank};
            for (const auto& round : edges_of(add_binomial_reduce, n, root)) {
                for (const Edge& edge : round) {
                    held[edge.to].merge(held[edge.from]);
                    EXPECT_TRUE(held[edge.from].empty()) << "a part comes twice";
                    const auto& block = held[edge.to];
                    EXPECT_EQ(*block.rbegin() - *block.begin() + 1, static_cast<int>(block.size()))
                        << "not a run of ranks";
                }
            }
            EXPECT_EQ(held[root].size(), static_cast<std::size_t>(n)) << n << " " << root;
        }
    }
}

}  // namespace
}  // namespace xccl
