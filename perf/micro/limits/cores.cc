#include "limits/cores.h"

#include <sched.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace xccl::limits {
namespace {

const cpu_set_t& allowed_cores() {
    static const cpu_set_t allowed = [] {
        cpu_set_t set;
        CPU_ZERO(&set);
        if (sched_getaffinity(0, sizeof set, &set) != 0) give_up("which cores may be used?");
        return set;
    }();
    return allowed;
}

}  // namespace

void give_up(const char* text) {
    std::fprintf(stderr, "machine_limits: %s (%s)\n", text, std::strerror(errno));
    std::exit(1);
}

int core_count() {
    return CPU_COUNT(&allowed_cores());
}

void pin_to_core(int place) {
    const cpu_set_t& allowed = allowed_cores();
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &allowed) || place-- != 0) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        if (sched_setaffinity(0, sizeof own, &own) != 0) give_up("a core cannot be taken");
        return;
    }
    give_up("a core that is not there was asked for");
}

}  // namespace xccl::limits
