#include "machine/machine_identity.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "base/text.h"
#include "machine/core_pair.h"

namespace xccl {
namespace {

// "model name" on x86, "CPU part" where there is no name.
std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    for (int lines = 0; lines < 64 && std::getline(file, line); ++lines) {
        for (const char* wanted : {"model name", "CPU part"}) {
            if (line.rfind(wanted, 0) != 0) continue;
            const std::size_t colon = line.find(": ");
            if (colon != std::string::npos) return printable(line.substr(colon + 2));
        }
    }
    return "unknown processor";
}

}  // namespace

std::string machine_identity() {
    std::string text = processor_name();
    text += fmt::format(", {} of {} CPUs", allowed_cpu_count(), sysconf(_SC_NPROCESSORS_CONF));
    const CorePair pair = choose_core_pair();
    text += pair.second < 0 ? ", one core"
            : pair.siblings ? ", threads of a core"
                            : ", cores apart";
    for (const int cache : {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE,
                            _SC_LEVEL4_CACHE_SIZE}) {
        text += fmt::format(", {}", std::max(sysconf(cache), 0L) / 1024);
    }
    return text + " KiB";
}

}  // namespace xccl
