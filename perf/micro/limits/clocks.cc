// What it costs to ask for the time: the cycle counter alone, ordered behind what came before it,
// and the clock that the C library reads without a system call.
#include <x86intrin.h>

#include <ctime>

#include "limits/groups.h"

namespace xccl::limits {

std::vector<Figure> clock_figures(const Effort& effort) {
    const auto rdtsc = seconds_per_call(effort, [](long count) {
        for (; count > 0; --count) asm volatile("" : : "r"(__rdtsc()));
    });
    const auto rdtscp = seconds_per_call(effort, [](long count) {
        unsigned core = 0;
        for (; count > 0; --count) asm volatile("" : : "r"(__rdtscp(&core)));
    });
    const auto clock = seconds_per_call(effort, [](long count) {
        timespec now = {};
        for (; count > 0; --count) clock_gettime(CLOCK_MONOTONIC, &now);
    });
    return {figure_of("rdtsc", "ns", times(rdtsc, 1e9)),
            figure_of("rdtscp", "ns", times(rdtscp, 1e9)),
            figure_of("clock_gettime", "ns", times(clock, 1e9))};
}

}  // namespace xccl::limits
