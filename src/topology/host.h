// What this process can say of its own place: the only part of the topology that looks at the
// machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "topology/rank_info.h"

namespace xccl {

struct HostIdentity {
    RankInfo place;
    std::string name;  // for people
};

// Two processes have the same host key if they run under the same kernel, in the same network and
// user namespaces, and as the same user: what it takes to hand memory over an abstract socket.
// XCCL_HOST_ID takes its place.
HostIdentity local_host();

// What the processor says of its largest cache; the largest number if it says nothing.
std::uint64_t last_level_cache_bytes();

// Whole CPUs, rounded up, that a control group's `cpu.max` gives ("150000 100000" is 2); 0: no
// limit, or text that is not understood.
std::uint32_t cpus_of_quota(std::string_view cpu_max);

}  // namespace xccl
