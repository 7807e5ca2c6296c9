// Recursive doubling: whoever has a range of s blocks exchanges it with the rank whose number
// differs in the bit s, so the range doubles in each round. The number of ranks is a power of two.
//
//     rounds           log2 n
//     bytes per rank   (n - 1) * block     -- the least
//
// As Bruck's all-gather, but each message is answered by one from the same rank, which takes credit
// along, and no range wraps around, so that a round is one message: over TCP a rank sends 2.0
// frames a call where it sends 2.6 by Bruck's (4 ranks, 4 KiB, counted by strace).
//
// n = 4, rank 2: has 2; receives 3 from 3; and 0 and 1 from 0.
//
// Thakur, Rabenseifner, Gropp: Optimization of collective communication operations in MPICH, 2005.
#include <algorithm>

#include "algorithms/generators.h"

namespace xccl {

Schedule doubling_all_gather(const Shape& shape) {
    const int n = shape.rank_count;
    Schedule schedule = schedule_for(shape, Contract::kAllGather, n, std::max(n / 2, 1));
    schedule.at(0, copy(shape.rank, input(0)));
    int round = 0;
    for (int have = 1; have < n; have *= 2, ++round) {
        const int partner = shape.rank ^ have;
        schedule.at(round, send(work(shape.rank / have * have, have), partner));
        schedule.at(round, recv(work(partner / have * have, have), partner));
    }
    return schedule;
}

}  // namespace xccl
