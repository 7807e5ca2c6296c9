#include "algorithms/binomial_tree.h"

#include <bit>

namespace xccl {
namespace {

// Who holds the result of the block of `size` ranks that begins at `first`.
int holder_of(int first, int size, int root) {
    return first <= root && root < first + size ? root : first;
}

}  // namespace

int binomial_levels(int rank_count) {
    return static_cast<int>(std::bit_width(static_cast<unsigned>(rank_count - 1)));
}

void add_binomial_reduce(Schedule& schedule, Cell cell, int root, int round) {
    const int rank = schedule.rank;
    for (int size = 1; size < schedule.rank_count; size *= 2, ++round) {
        const int mine = rank / size * size;
        if (holder_of(mine, size, root) != rank) return;  // given away in an earlier round
        const int other = mine ^ size;
        if (other >= schedule.rank_count) continue;
        const int partner = holder_of(other, size, root);
        const bool keeps = holder_of(mine & ~size, 2 * size, root) == rank;
        schedule.at(round, keeps ? recv_reduce(cell, partner) : send(cell, partner));
    }
}

void add_binomial_broadcast(Schedule& schedule, Cell cell, int root, int round) {
    const int n = schedule.rank_count;
    const int self = wrap(schedule.rank - root, n);
    const auto rank_at = [&](int relative) { return (relative + root) % n; };
    for (int level = binomial_levels(n) - 1; level >= 0; --level, ++round) {
        const int distance = 1 << level;
        if (self % (2 * distance) == 0 && self + distance < n) {
            schedule.at(round, send(cell, rank_at(self + distance)));
        } else if (self % (2 * distance) == distance) {
            schedule.at(round, recv(cell, rank_at(self - distance)));
        }
    }
}

}  // namespace xccl
