#include "machine/core_pair.h"

#include <fmt/format.h>
#include <sched.h>

#include <fstream>
#include <vector>

namespace xccl {
namespace {

// A process with more CPUs than the fixed set holds is refused by the kernel; none is known then.
std::vector<int> allowed_cpus_of_thread() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cpus;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
    cpus.reserve(CPU_SETSIZE);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
    return cpus;
}

struct Place {
    int package = -1;
    int core = -1;
};

int number_in(const std::string& path) {
    std::ifstream file(path);
    int number = -1;
    return file >> number ? number : -1;
}

Place place_of(int cpu) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu{}/topology/", cpu);
    return {number_in(folder + "physical_package_id"), number_in(folder + "core_id")};
}

}  // namespace

int allowed_cpu_count() {
    return static_cast<int>(allowed_cpus_of_thread().size());
}

CorePair choose_core_pair() {
    constexpr std::size_t kMostLookedAt = 256;  // threads of a core are never further apart
    CorePair pair;
    const std::vector<int> cpus = allowed_cpus_of_thread();
    if (cpus.empty()) return pair;
    pair.first = cpus[0];
    const Place home = place_of(pair.first);
    for (std::size_t i = 1; i < cpus.size() && i < kMostLookedAt; ++i) {
        const Place place = place_of(cpus[i]);
        pair.siblings = place.package == home.package && place.core == home.core && home.core >= 0;
        pair.second = cpus[i];
        if (place.package == home.package && !pair.siblings) return pair;
    }
    return pair;
}

void pin_this_thread(int cpu) {
    if (cpu < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    (void)sched_setaffinity(0, sizeof set, &set);  // elsewhere the numbers are as good
}

}  // namespace xccl
