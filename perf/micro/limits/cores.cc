#include "limits/cores.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "measure/cores.h"

namespace xccl::limits {

void give_up(const char* text) {
    std::fprintf(stderr, "machine_limits: %s (%s)\n", text, std::strerror(errno));
    std::exit(1);
}

int core_count() {
    return perf::core_count();
}

void pin_to_core(int place) {
    if (!perf::take_core(place)) give_up("a core that is not there was asked for");
}

}  // namespace xccl::limits
