#include "api/memory_probe.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace xccl {
namespace {

constexpr std::uintptr_t kPage = 4096;
constexpr std::size_t kKnownRanges = 16;

struct Range {
    std::uintptr_t begin = 1;
    std::uintptr_t end = 0;
    bool written = false;
};

// Kernels before 5.14 do not know the question; a page that surely is there tells.
bool kernel_can_tell() {
    static const bool can = [] {
        alignas(64) char here = 0;
        const auto page = reinterpret_cast<std::uintptr_t>(&here) & ~(kPage - 1);
        return madvise(reinterpret_cast<void*>(page), kPage, MADV_POPULATE_READ) == 0;
    }();
    return can;
}

bool page_answers(std::uintptr_t page, bool written) {
    void* const address = reinterpret_cast<void*>(page);
    if (!kernel_can_tell()) {  // at least see that it is mapped
        unsigned char resident;
        return mincore(address, kPage, &resident) == 0;
    }
    const int advice = written ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
    return madvise(address, kPage, advice) == 0 || errno == EAGAIN || errno == EINTR;
}

bool all_mapped(std::uintptr_t begin, std::uintptr_t end) {
    constexpr std::uintptr_t kStretch = 64u << 20;
    std::vector<unsigned char> resident(std::min(kStretch, end - begin) / kPage);
    for (std::uintptr_t at = begin; at < end; at += kStretch) {
        if (mincore(reinterpret_cast<void*>(at), std::min(kStretch, end - at), resident.data()) !=
            0)
            return false;
    }
    return true;
}

}  // namespace

bool memory_is_ours(const void* data, std::uint64_t bytes, bool written) {
    const auto first = reinterpret_cast<std::uintptr_t>(data);
    std::uintptr_t last;
    if (__builtin_add_overflow(first, bytes - 1, &last)) return false;
    const std::uintptr_t begin = first & ~(kPage - 1);
    const std::uintptr_t end = (last & ~(kPage - 1)) + kPage;
    thread_local Range known[kKnownRanges];
    Range& range = known[(first >> 12) % kKnownRanges];
    if (begin >= range.begin && end <= range.end && range.written >= written) return true;
    if (!page_answers(begin, written) || !page_answers(end - kPage, written)) return false;
    if (end - begin > 2 * kPage && !all_mapped(begin, end)) return false;
    range = {begin, end, written};
    return true;
}

}  // namespace xccl
