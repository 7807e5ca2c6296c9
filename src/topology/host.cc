#include "topology/host.h"

#include <sched.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <mutex>

#include "base/clock.h"
#include "base/config.h"

namespace xccl {
namespace {

constexpr int kMostCpus = static_cast<int>(64 * kMaxCpuMaskWords);

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// The number of a namespace of this process; 0 where there is no /proc.
std::uint64_t namespace_number(const char* kind) {
    struct stat status {};
    const std::string path = std::string("/proc/self/ns/") + kind;
    return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::string host_name() {
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    return name[0] != '\0' ? name : "unnamed host";
}

// Drawn once per process; a child of fork() draws its own.
std::string process_key() {
    static std::mutex mutex;
    static pid_t drawn_by = 0;
    static std::uint64_t number = 0;
    const std::lock_guard lock(mutex);
    if (drawn_by != getpid()) {
        drawn_by = getpid();
        // It tells processes apart and is no secret: the clock serves where there is no chance.
        if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0) number = cycles();
    }
    return fmt::format("{}-{:x}", drawn_by, number);
}

CpuMask allowed_cpus() {
    cpu_set_t* set = CPU_ALLOC(kMostCpus);
    if (set == nullptr) return {};
    const std::size_t bytes = CPU_ALLOC_SIZE(kMostCpus);
    std::vector<int> cpus;
    if (sched_getaffinity(0, bytes, set) == 0) {
        for (int cpu = 0; cpu < kMostCpus; ++cpu) {
            if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes, set)) cpus.push_back(cpu);
        }
    }
    CPU_FREE(set);
    return cpu_mask_of(cpus);
}

// The tightest limit on the way from this process's control group to the root.
std::uint32_t cpu_quota() {
    std::ifstream groups("/proc/self/cgroup");
    std::string path;
    for (std::string line; std::getline(groups, line);) {
        if (line.rfind("0::", 0) == 0) path = line.substr(3);  // version 2 has one hierarchy
    }
    std::uint32_t tightest = 0;
    while (!path.empty()) {
        const std::uint32_t quota = cpus_of_quota(first_line("/sys/fs/cgroup" + path + "/cpu.max"));
        if (quota != 0 && (tightest == 0 || quota < tightest)) tightest = quota;
        path.resize(path == "/" ? 0 : path.rfind('/'));
    }
    return tightest;
}

}  // namespace

std::uint32_t cpus_of_quota(std::string_view cpu_max) {
    std::uint64_t quota_us = 0, period_us = 0;
    const char* const end = cpu_max.data() + cpu_max.size();
    const auto first = std::from_chars(cpu_max.data(), end, quota_us);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return 0;
    const auto second = std::from_chars(first.ptr + 1, end, period_us);
    if (second.ec != std::errc() || period_us == 0 || quota_us == 0) return 0;
    const std::uint64_t whole = (quota_us - 1) / period_us + 1;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(whole, kMostCpus));
}

HostIdentity local_host() {
    HostIdentity host;
    const std::string& given = config().host_id;
    host.name = given.empty() ? host_name() : given;
    host.place.machine_key = first_line("/proc/sys/kernel/random/boot_id");
    host.place.host_key =
        given.empty() ? fmt::format("{}/{}/{}/{}", host.place.machine_key, namespace_number("net"),
                                    namespace_number("user"), geteuid())
                      : given;
    host.place.process_key = process_key();
    host.place.cpu_mask = allowed_cpus();
    host.place.cpu_quota = cpu_quota();
    return host;
}

std::uint64_t last_level_cache_bytes() {
    for (const int cache : {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE}) {
        const long bytes = sysconf(cache);
        if (bytes > 0) return static_cast<std::uint64_t>(bytes);
    }
    return UINT64_MAX;
}

}  // namespace xccl
