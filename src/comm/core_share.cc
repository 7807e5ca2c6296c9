#include "comm/core_share.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "observe/log.h"

namespace xccl {
namespace {

// A thread that was never bound follows its cpuset, and one that is allowed every CPU there is
// does, too; one that is allowed a list of them, as it was before, would not when the cpuset grows.
// So a thread that may use all of its cpuset is allowed everything, and one that is bound what it
// was.
bool allow_again(const CpuSets& allowed) {
    CpuSets all{}, now{};
    std::memset(all.data(), 0xff, sizeof all);
    if (sched_setaffinity(0, sizeof all, all.data()) == 0 &&
        sched_getaffinity(0, sizeof now, now.data()) >= 0 &&
        CPU_EQUAL_S(sizeof now, now.data(), allowed.data())) {
        return true;
    }
    return sched_setaffinity(0, sizeof allowed, allowed.data()) == 0;
}

}  // namespace

bool may_move(int index, std::span<const int> cpu_of_rank) {
    const int mine = cpu_of_rank[static_cast<std::size_t>(index)];
    const auto later = cpu_of_rank.subspan(static_cast<std::size_t>(index) + 1);
    return mine >= 0 && std::ranges::count(later, mine) == 0 &&
           std::ranges::count(cpu_of_rank, mine) > 1;
}

// Of several that are as empty, ranks begin with different ones, since all look at the same time.
int better_cpu(int index, std::span<const int> cpu_of_rank, std::span<const int> allowed) {
    if (!may_move(index, cpu_of_rank)) return -1;
    const int mine = cpu_of_rank[static_cast<std::size_t>(index)];
    int best = -1;
    auto fewest = std::ranges::count(cpu_of_rank, mine) - 1;  // with this rank there, no gain
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        const int cpu = allowed[(static_cast<std::size_t>(index) + i) % allowed.size()];
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
    if (!may_move(place_.index, cpu_of_rank_)) return -1;  // the system need not be asked
    CPU_ZERO_S(sizeof *allowed, allowed->data());
    if (sched_getaffinity(0, sizeof *allowed, allowed->data()) < 0) return -1;
    std::array<std::uint64_t, sizeof(CpuSets) / sizeof(std::uint64_t)> words;
    std::memcpy(words.data(), allowed->data(), sizeof words);
    allowed_.clear();
    for (std::size_t i = 0; i < words.size(); ++i) {
        for (std::uint64_t left = words[i]; left != 0; left &= left - 1) {
            allowed_.push_back(static_cast<int>(64 * i) + std::countr_zero(left));
        }
    }
    return better_cpu(place_.index, cpu_of_rank_, allowed_);
}

void CoreShare::move_to(int cpu, const CpuSets& allowed) {
    CpuSets one{};
    CPU_SET_S(static_cast<std::size_t>(cpu), sizeof one, one.data());
    // Who may not say where it runs does not try again.
    active_ = sched_setaffinity(0, sizeof one, one.data()) == 0;
    if (!active_ || allow_again(allowed)) return;
    active_ = false;
    log(LogLevel::kWarn, place_.rank, place_.rank_count, "comm",
        "a thread went to CPU {}, which had fewer ranks, and cannot be allowed its other CPUs "
        "again: {}; set XCCL_SPREAD=0 if it must not stay there",
        cpu, std::strerror(errno));
}

}  // namespace xccl
