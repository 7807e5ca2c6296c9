#include "perf/micro/device/levels.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "perf/measure/caches.h"

namespace xccl::bench {
namespace {

std::byte* map_bytes(std::size_t bytes) {
    void* const memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return static_cast<std::byte*>(memory);
}

}  // namespace

std::vector<LevelShape> level_shapes() {
    constexpr std::size_t kMiB = std::size_t{1} << 20;
    const std::size_t first = perf::cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
    const std::size_t second = perf::cache_bytes(_SC_LEVEL2_CACHE_SIZE, kMiB);
    const std::size_t third = perf::cache_bytes(_SC_LEVEL3_CACHE_SIZE, 32 * kMiB);
    // A third level of hundreds of MiB belongs to other machines, too: what is surely there is
    // little, and what is surely not there is more than all of it.
    const std::size_t in_third = std::clamp(third / 2, 4 * second, 6 * second);
    const std::size_t beyond_third = std::clamp(2 * third, 256 * kMiB, 768 * kMiB);
    return {{"L1", first / 2, first / 2},
            {"L2", second / 8, second / 2},
            {"L3", kMiB, in_third / kMiB * kMiB},
            {"DRAM", 3 * kMiB, beyond_third / (3 * kMiB) * (3 * kMiB)}};
}

Level::Level(const LevelShape& shape)
    : shape_(shape),
      sources_(map_bytes(shape.total_bytes)),
      destinations_(map_bytes(shape.total_bytes)) {
    std::memset(sources_, static_cast<int>(kSourceByte), shape.total_bytes);
    std::memset(destinations_, 0, shape.total_bytes);
}

Level::~Level() {
    munmap(sources_, shape_.total_bytes);
    munmap(destinations_, shape_.total_bytes);
}

}  // namespace xccl::bench
