// Loops that read, write or copy memory as fast as a core can, with its widest vectors.
#pragma once

#include <cstddef>

namespace xccl::limits {

// Lengths are multiples of 512 bytes, addresses of 64.
struct Streams {
    const char* vectors;  // "AVX-512", "AVX2" or "SSE2"
    void (*read)(const void* from, std::size_t bytes);
    void (*write)(void* to, std::size_t bytes);
    void (*copy)(void* to, const void* from, std::size_t bytes);
    // With non-temporal stores, which do not read a line before they write it; fenced at the end.
    void (*write_past_caches)(void* to, std::size_t bytes);
    void (*copy_past_caches)(void* to, const void* from, std::size_t bytes);
};

const Streams& widest_streams();

}  // namespace xccl::limits
