// Where ranks outnumber cores, each core gets its share of them.
//
// Ranks that poll and yield never look idle to the kernel, nor cold: it leaves three of four on one
// of two cores for a tenth of a second and more, and whatever they do together takes as long as the
// fuller core needs. So with each blocking call a rank tells the others of its host which CPU it
// runs on, and who waits in one looks now and then: if another CPU has at least two ranks fewer,
// one of those on this CPU goes there. It does so by allowing itself that CPU alone and then again
// all that it was allowed, so nothing is pinned, and the kernel may move it on. XCCL_SPREAD=0
// leaves affinities alone.
//
//     CPU 0: ranks 0 1 3    CPU 1: rank 2       rank 3, the last of the fuller one, goes to CPU 1
#pragma once

#include <sched.h>

#include <array>
#include <span>
#include <vector>

#include "base/clock.h"
#include "topology/rank_info.h"
#include "transport/segment.h"

namespace xccl {

// As many CPUs as a rank tells of itself.
using CpuSets = std::array<cpu_set_t, kMaxCpuMaskWords * 64 / CPU_SETSIZE>;

// Is it this rank's turn, if anybody is to leave its CPU? One of a CPU's ranks moves at a time, the
// last, or they would all go and meet again.
bool may_move(int index, std::span<const int> cpu_of_rank);

// Where the rank of that index had better run, of the CPUs that it may run on; -1: where it is.
// cpu_of_rank: the CPU that each rank of the host was last seen on; -1: not known.
int better_cpu(int index, std::span<const int> cpu_of_rank, std::span<const int> allowed);

// Of one rank. For the thread that calls, one at a time.
class CoreShare {
  public:
    struct Place {
        int rank, rank_count;  // for log lines
        int index;             // of the rank in the segment
    };
    // Not active: does nothing.
    CoreShare(Segment& segment, const Place& place, bool active)
        : segment_(segment), place_(place), active_(active) {}

    // With each call: says where the calling thread runs. Now and then it looks, too, since who
    // only sends waits for nobody.
    void begin() {
        if (!active_) return;
        tell();
        if (++calls_ % kCallsPerLook == 0) look(Clock::now());
    }
    // Of who waits: goes to where there is more room, unless it has looked a moment ago.
    void look(Clock::time_point now) {
        if (active_ && now - looked_ >= interval_) look_around(now);
    }

  private:
    static constexpr std::uint32_t kCallsPerLook = 256;
    // Between two looks. Longer after each move, as the kernel may move back who was moved: it
    // knows of others that want the core.
    static constexpr Clock::duration kLeastInterval = std::chrono::milliseconds(1);
    static constexpr Clock::duration kMostInterval = std::chrono::milliseconds(128);

    void tell();
    void look_around(Clock::time_point now);
    int find_better(CpuSets* allowed);
    void move_to(int cpu, const CpuSets& allowed);

    Segment& segment_;
    const Place place_;
    bool active_;
    int told_ = -1;
    std::uint32_t calls_ = 0;
    Clock::time_point looked_{};
    Clock::duration interval_ = kLeastInterval;
    std::vector<int> cpu_of_rank_, allowed_;  // kept, so that nothing allocates
};

}  // namespace xccl
