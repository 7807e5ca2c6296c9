// What a rank says of its place when it joins: where its memory can be shared, and which CPUs it
// may run on. It crosses the network, so it is parsed with every length checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace xccl {

constexpr std::size_t kMaxPlaceKeyBytes = 256;  // of a host or process key
constexpr std::size_t kMaxCpuMaskWords = 128;   // 8,192 CPUs

// A set of CPUs: bit b of word w stands for CPU 64 w + b. Empty: not known.
using CpuMask = std::vector<std::uint64_t>;

CpuMask cpu_mask_of(const std::vector<int>& cpus);
int cpu_count_of(const CpuMask& mask);
bool is_subset(const CpuMask& inner, const CpuMask& outer);
CpuMask united(const CpuMask& a, const CpuMask& b);

struct RankInfo {
    std::string host_key;         // equal: the same host, and memory can be shared
    std::string process_key;      // equal on one host: the same process
    CpuMask cpu_mask;             // that it may run on
    std::uint32_t cpu_quota = 0;  // whole CPUs that its control group is given; 0: no limit
    // Equal: the same CPUs, though memory may not be shared (other namespaces, or a transport that
    // was asked for). Empty: as the host.
    std::string machine_key{};
    bool operator==(const RankInfo&) const = default;
};

std::string encode_rank_info(const RankInfo& info);
Result<RankInfo> decode_rank_info(std::string_view bytes);

}  // namespace xccl
