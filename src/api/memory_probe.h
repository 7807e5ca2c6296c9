// Is a range memory that this process can touch? So that a device pointer, or a wild one, is an
// error with a name and not a crash in somebody's reduction kernel.
//
// The kernel is asked once per range: first and last page by madvise(MADV_POPULATE_*), which faults
// pages in and changes nothing, what lies between by mincore. What was found good is kept in small
// tables per thread: the range, so that the fast path is one lookup, and the whole mapping that it
// is part of, so that programs with thousands of buffers ask once. Memory unmapped later is the
// caller's own bug.
#pragma once

#include <cstdint>

namespace xccl {

bool memory_is_ours(const void* data, std::uint64_t bytes, bool written);

}  // namespace xccl
