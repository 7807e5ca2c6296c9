#include "api/memory_probe.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "api/kept_by_thread.h"
#include "transport/shared_heap.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace xccl {
namespace {

constexpr std::uintptr_t kPage = 4096;
constexpr std::size_t kKnownRanges = 16;
constexpr std::size_t kKnownRegions = 32;
// The list of mappings may be long: a thread searches it at its first unknown ranges, and then at
// every so manyth, so that asking for each costs at most about as much as searching.
constexpr int kFirstSearches = 64;
constexpr int kAsksPerSearch = 32;

struct Range {
    std::uintptr_t begin = 1;
    std::uintptr_t end = 0;
    bool written = false;
    bool holds(std::uintptr_t first, std::uintptr_t last, bool to_write) const {
        return first >= begin && last <= end && written >= to_write;
    }
};

// What a thread has found good.
struct Known {
    Range ranges[kKnownRanges];    // by page: those that calls named
    Range regions[kKnownRegions];  // whole mappings around them
    std::size_t next_region = 0;
    int asks = 0;  // of the kernel
    bool has_to_search() {
        ++asks;
        return asks <= kFirstSearches || asks % kAsksPerSearch == 0;
    }
};

std::byte* page_of(const void* data) {
    auto* const address = static_cast<std::byte*>(const_cast<void*>(data));
    return address - reinterpret_cast<std::uintptr_t>(data) % kPage;
}

// Kernels before 5.14 do not know the question; a page that surely is there tells.
bool kernel_can_tell() {
    static const bool can = [] {
        alignas(64) char here = 0;
        return madvise(page_of(&here), kPage, MADV_POPULATE_READ) == 0;
    }();
    return can;
}

bool page_answers(std::byte* page, bool written) {
    if (!kernel_can_tell()) {  // at least see that it is mapped
        unsigned char resident = 0;
        return mincore(page, kPage, &resident) == 0;
    }
    const int advice = written ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
    return madvise(page, kPage, advice) == 0 || errno == EAGAIN || errno == EINTR;
}

bool all_mapped(std::byte* begin, std::size_t bytes) {
    constexpr std::size_t kStretch = 64u << 20;
    std::vector<unsigned char> resident(std::min(kStretch, bytes) / kPage);
    for (std::size_t at = 0; at < bytes; at += kStretch) {
        if (mincore(begin + at, std::min(kStretch, bytes - at), resident.data()) != 0) return false;
    }
    return true;
}

// The mapping that holds a page; empty if there is none, or it is of a file, which may be shorter
// than its mapping. That of xcclMemAlloc's memory cannot.
Range whole_region(std::uintptr_t page) {
    static const std::string heap = std::string("/memfd:") + kHeapName;
    std::ifstream mappings("/proc/self/maps");
    std::string line;
    while (std::getline(mappings, line)) {
        Range region;
        char readable = '-', writable = '-';
        unsigned long long inode = 1;
        int path = 0;
        if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %c%c%*s %*s %*s %llu %n",
                        &region.begin, &region.end, &readable, &writable, &inode, &path) != 5) {
            continue;
        }
        if (page < region.begin || page >= region.end) continue;
        region.written = writable == 'w';
        const bool is_heap = line.compare(static_cast<std::size_t>(path), heap.size(), heap) == 0;
        return (inode == 0 || is_heap) && readable == 'r' ? region : Range{};
    }
    return {};
}

bool is_in_known_region(const Known& known, std::uintptr_t begin, std::uintptr_t end,
                        bool written) {
    return std::any_of(std::begin(known.regions), std::end(known.regions),
                       [&](const Range& region) { return region.holds(begin, end, written); });
}

// Asks the kernel.
bool is_mapped(const void* data, std::size_t extent, bool written) {
    std::byte* const page = page_of(data);
    if (!page_answers(page, written) || !page_answers(page + extent - kPage, written)) return false;
    return extent <= 2 * kPage || all_mapped(page, extent);
}

}  // namespace

bool memory_is_ours(const void* data, std::uint64_t bytes, bool written) {
    const auto first = reinterpret_cast<std::uintptr_t>(data);
    std::uintptr_t last = 0;
    if (__builtin_add_overflow(first, bytes - 1, &last)) return false;
    const std::uintptr_t begin = first & ~(kPage - 1);
    const std::uintptr_t end = (last & ~(kPage - 1)) + kPage;
    Known& known = kept_by_thread<Known, Known>();
    Range& range = known.ranges[(first >> 12) % kKnownRanges];
    if (range.holds(begin, end, written)) return true;
    if (!is_in_known_region(known, begin, end, written)) {
        if (!is_mapped(data, end - begin, written)) return false;
        if (known.has_to_search()) {
            const Range region = whole_region(begin);
            if (region.end != 0) known.regions[known.next_region++ % kKnownRegions] = region;
        }
    }
    range = {begin, end, written};
    return true;
}

}  // namespace xccl
