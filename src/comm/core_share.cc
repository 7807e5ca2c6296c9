#include "comm/core_share.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "observe/log.h"

namespace xccl {

// One of a CPU's ranks moves at a time, the last, or they would all go and meet again.
int better_cpu(int index, std::span<const int> cpu_of_rank, std::span<const int> allowed) {
    const int mine = cpu_of_rank[static_cast<std::size_t>(index)];
    const auto later = cpu_of_rank.subspan(static_cast<std::size_t>(index) + 1);
    if (mine < 0 || std::ranges::count(later, mine) > 0) return -1;
    int best = -1;
    auto fewest = std::ranges::count(cpu_of_rank, mine) - 1;  // with this rank there, no gain
    for (const int cpu : allowed) {
        const auto there = std::ranges::count(cpu_of_rank, cpu);
        if (there >= fewest) continue;
        fewest = there;
        best = cpu;
    }
    return best;
}

// A few instructions, and a store if that has changed.
void CoreShare::tell() {
    const int cpu = sched_getcpu();
    if (cpu == told_) return;
    told_ = cpu;
    segment_.cpu(place_.index).store(cpu + 1, std::memory_order_relaxed);
}

void CoreShare::look_around(Clock::time_point now) {
    looked_ = now;
    tell();
    CpuSets allowed;
    const int cpu = find_better(&allowed);
    if (cpu < 0) {
        interval_ = std::max(interval_ / 2, kLeastInterval);
        return;
    }
    interval_ = std::min(interval_ * 2, kMostInterval);
    move_to(cpu, allowed);
    tell();
}

// -1: none. Else all that this rank may run on is in *allowed.
int CoreShare::find_better(CpuSets* allowed) {
    cpu_of_rank_.clear();
    for (int rank = 0; rank < segment_.layout().local_ranks(); ++rank) {
        const bool there = segment_.state_of(rank) == RankState::kPresent;
        cpu_of_rank_.push_back(there ? segment_.cpu(rank).load(std::memory_order_relaxed) - 1 : -1);
    }
    if (std::ranges::count(cpu_of_rank_, told_) < 2) return -1;  // the system need not be asked
    if (sched_getaffinity(0, sizeof *allowed, allowed->data()) < 0) return -1;
    allowed_.clear();
    for (std::size_t cpu = 0; cpu < 8 * sizeof *allowed; ++cpu) {
        if (CPU_ISSET_S(cpu, sizeof *allowed, allowed->data())) {
            allowed_.push_back(static_cast<int>(cpu));
        }
    }
    return better_cpu(place_.index, cpu_of_rank_, allowed_);
}

void CoreShare::move_to(int cpu, const CpuSets& allowed) {
    CpuSets one{};
    CPU_SET_S(static_cast<std::size_t>(cpu), sizeof one, one.data());
    // Who may not say where it runs does not try again.
    active_ = sched_setaffinity(0, sizeof one, one.data()) == 0;
    if (!active_ || sched_setaffinity(0, sizeof allowed, allowed.data()) == 0) return;
    active_ = false;
    log(LogLevel::kWarn, place_.rank, place_.rank_count, "comm",
        "a thread went to CPU {}, which had fewer ranks, and cannot be allowed its other CPUs "
        "again: {}; set XCCL_SPREAD=0 if it must not stay there",
        cpu, std::strerror(errno));
}

}  // namespace xccl
