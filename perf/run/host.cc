#include "run/host.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>

namespace xccl::perf {
namespace {

constexpr std::size_t kGiB = std::size_t{1} << 30;

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<std::size_t> first_number(std::string_view text) {
    const std::size_t digit = text.find_first_of("0123456789");
    if (digit == std::string_view::npos) return std::nullopt;
    std::size_t value = 0;
    std::from_chars(text.data() + digit, text.data() + text.size(), value);
    return value;
}

// What the limits of this process's control group and of those around it leave. (Version 2; under
// version 1 the kernel's figure has to do.)
std::size_t left_by_control_groups() {
    constexpr std::string_view kRoot = "/sys/fs/cgroup";
    std::string line = read_file("/proc/self/cgroup");
    std::size_t left = std::numeric_limits<std::size_t>::max();
    if (!line.starts_with("0::")) return left;
    std::string path = line.substr(3, line.find('\n') - 3);
    while (true) {
        const std::string folder = std::string(kRoot) + path;
        const auto most = first_number(read_file(folder + "/memory.max"));  // or "max"
        const auto used = first_number(read_file(folder + "/memory.current"));
        if (most && used) left = std::min(left, *most > *used ? *most - *used : 0);
        const std::size_t slash = path.rfind('/');
        if (path.empty() || slash == std::string::npos) return left;
        path.erase(slash);
    }
}

}  // namespace

std::string host_name() {
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    const std::string full = name;
    return full.substr(0, full.find('.'));
}

std::string processor_name() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("model name")) continue;
        const std::size_t start = line.find_first_not_of(" \t", line.find(':') + 1);
        if (start != std::string::npos) return line.substr(start);
    }
    return "CPU";
}

std::optional<std::size_t> memory_field(std::string_view text, std::string_view field) {
    const std::size_t at = text.find(std::string(field) + ":");
    if (at == std::string_view::npos) return std::nullopt;
    const auto kib = first_number(text.substr(at, text.find('\n', at) - at));
    if (!kib) return std::nullopt;
    return *kib * 1024;
}

std::size_t available_memory() {
    const auto available = memory_field(read_file("/proc/meminfo"), "MemAvailable");
    return std::min(available.value_or(std::numeric_limits<std::size_t>::max()),
                    left_by_control_groups());
}

std::size_t resident_memory() {
    return memory_field(read_file("/proc/self/status"), "VmRSS").value_or(0);
}

std::size_t largest_size(std::size_t available_bytes, int ranks, std::size_t extra_bytes) {
    const std::size_t sixteenths = (available_bytes + 16 * kGiB - 1) / (16 * kGiB);
    const std::size_t reserve =
        std::min(std::min(sixteenths * kGiB, 4 * kGiB) + kGiB, available_bytes / 4);
    const std::size_t each = (available_bytes - reserve) / static_cast<std::size_t>(ranks) / 2;
    return each > extra_bytes ? each - extra_bytes : 0;
}

}  // namespace xccl::perf
