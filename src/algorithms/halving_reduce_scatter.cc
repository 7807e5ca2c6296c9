// Recursive halving: partners whose numbers differ in one bit, the highest first, share out the
// range of blocks that both are responsible for. The number of ranks is a power of two.
//
//     rounds           log2 n
//     bytes per rank   (n - 1) * block     -- the least
//
// As the circulant reduce-scatter, but each message is answered by one from the same rank, which
// takes credit along, and no range wraps around, so that a round is one message: over TCP a rank
// sends 2.0 frames a call where it sends 2.6 by the other (4 ranks, 4 KiB, counted by strace).
//
// n = 4, rank 2: sends 0 and 1 to 0 and combines 2 and 3; sends 3 to 3 and combines 2.
//
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH, 2005.
#include <algorithm>

#include "algorithms/generators.h"

namespace xccl {

Schedule halving_reduce_scatter(const Shape& shape) {
    const int n = shape.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kReduceScatter, n, std::max(n / 2, 1));
    int round = 0;
    for (int half = n / 2; half > 0; half /= 2, ++round) {
        const int partner = shape.rank ^ half;
        schedule.at(round, send(work(partner / half * half, half), partner));
        schedule.at(round, recv_reduce(work(shape.rank / half * half, half), partner));
    }
    return schedule;
}

}  // namespace xccl
