// The cores that a measuring program may use, and staying on one of them.
#pragma once

#include <sched.h>

namespace xccl::perf {

// Those of the process when it first asked, before any thread took one: a thread inherits its
// maker's. None where the system does not tell.
inline const cpu_set_t& allowed_cores() {
    static const cpu_set_t cores_of_process = [] {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        sched_getaffinity(0, sizeof cores, &cores);
        return cores;
    }();
    return cores_of_process;
}

inline int core_count() {
    return CPU_COUNT(&allowed_cores());
}

// The calling thread stays on an allowed core from now on: 0 is the first, 1 the second. False
// where there is none of that number, or it cannot be had.
inline bool take_core(int place) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &allowed_cores()) || place-- != 0) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        return sched_setaffinity(0, sizeof own, &own) == 0;
    }
    return false;
}

}  // namespace xccl::perf
