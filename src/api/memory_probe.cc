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

}  // namespace

bool memory_is_ours(const void* data, std::uint64_t bytes, bool written) {
    const auto first = reinterpret_cast<std::uintptr_t>(data);
    std::uintptr_t last = 0;
    if (__builtin_add_overflow(first, bytes - 1, &last)) return false;
    const std::uintptr_t begin = first & ~(kPage - 1);
    const std::uintptr_t end = (last & ~(kPage - 1)) + kPage;
    thread_local Range known[kKnownRanges];
    Range& range = known[(first >> 12) % kKnownRanges];
    if (begin >= range.begin && end <= range.end && range.written >= written) return true;
    std::byte* const page = page_of(data);
    const std::size_t extent = end - begin;
    if (!page_answers(page, written) || !page_answers(page + extent - kPage, written)) return false;
    if (extent > 2 * kPage && !all_mapped(page, extent)) return false;
    range = {begin, end, written};
    return true;
}

}  // namespace xccl
