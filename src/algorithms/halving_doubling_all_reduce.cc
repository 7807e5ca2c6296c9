// Recursive halving and doubling: a reduce-scatter between ever more distant partners, and the way
// back as an all-gather.
//
// In round k, rank r meets r ^ 2^k. Each sends the half of its range of chunks that the partner
// keeps, and combines the half that it keeps itself. Near partners come first, so blocks of 2^k
// ranks are combined in order: with a power of two, the expression is the canonical tree. Other
// rank counts fold: each rank beyond the largest power of two p lends its input to r - p, and
// receives the result.
//
//     rounds           2 log2 p, and 2 more if n > p
//     bytes per rank   2 (p - 1) / p * buffer; the partner of a folded rank one buffer more
//
// n = 4, rank 1: meets 0 and keeps chunks 2 and 3; meets 3 and keeps chunk 2; sends it to 3 for
// chunk 3; sends both to 0 for chunks 0 and 1.
//
// Rabenseifner: Optimization of collective reduction operations, 2004.
#include <algorithm>
#include <bit>

#include "algorithms/generators.h"

namespace xccl {
namespace {

struct Exchange {
    int partner;
    int kept;  // first chunk of the half that this rank keeps
    int sent;  // of the other half
    int half;  // chunks
};

// In the order of the reduce-scatter.
std::vector<Exchange> exchanges_of(int rank, int core_count) {
    std::vector<Exchange> exchanges;
    int first = 0;
    for (int bit = 1; bit < core_count; bit *= 2) {
        const int half = core_count / (2 * bit);
        const bool upper = (rank & bit) != 0;
        exchanges.push_back(
            {rank ^ bit, upper ? first + half : first, upper ? first : first + half, half});
        first = exchanges.back().kept;
    }
    return exchanges;
}

// The whole buffer, as messages of at most max_span chunks.
template <typename Add>
void for_each_part(const Schedule& schedule, Add add) {
    for (std::uint32_t first = 0; first < schedule.chunk_count; first += schedule.max_span) {
        add(work(static_cast<int>(first), static_cast<int>(schedule.max_span)));
    }
}

}  // namespace

Schedule halving_doubling_all_reduce(const Shape& shape) {
    const int rank = shape.rank;
    const int core_count =
        static_cast<int>(std::bit_floor(static_cast<unsigned>(shape.rank_count)));
    const int extra_count = shape.rank_count - core_count;
    Schedule schedule =
        schedule_for(shape, Contract::kAllReduce, core_count, std::max(1, core_count / 2));

    if (rank >= core_count) {
        const int host = rank - core_count;
        const int last = 2 * std::countr_zero(static_cast<unsigned>(core_count)) + 1;
        for_each_part(schedule, [&](Cell part) { schedule.at(0, send(part, host)); });
        for_each_part(schedule, [&](Cell part) { schedule.at(last, recv(part, host)); });
        return schedule;
    }
    int round = 0;
    if (extra_count > 0) ++round;
    const int guest = rank + core_count;
    if (rank < extra_count) {
        for_each_part(schedule, [&](Cell part) { schedule.at(0, recv_reduce(part, guest)); });
    }
    const std::vector<Exchange> exchanges = exchanges_of(rank, core_count);
    for (const Exchange& e : exchanges) {
        schedule.at(round, send(work(e.sent, e.half), e.partner));
        schedule.at(round++, recv_reduce(work(e.kept, e.half), e.partner));
    }
    for (auto e = exchanges.rbegin(); e != exchanges.rend(); ++e) {
        schedule.at(round, send(work(e->kept, e->half), e->partner));
        schedule.at(round++, recv(work(e->sent, e->half), e->partner));
    }
    if (rank < extra_count) {
        for_each_part(schedule, [&](Cell part) { schedule.at(round, send(part, guest)); });
    }
    return schedule;
}

}  // namespace xccl
