// What the system tells of the caches.
#pragma once

#include <unistd.h>

#include <cstddef>

namespace xccl::perf {

// `name`: as _SC_LEVEL2_CACHE_SIZE. `otherwise`: bytes where the system does not tell.
inline std::size_t cache_bytes(int name, std::size_t otherwise) {
    const long bytes = sysconf(name);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : otherwise;
}

}  // namespace xccl::perf
