// Reductions and copies whose destinations bypass the caches.
//
// A store into a line that no cache holds reads the line first. Streaming stores do not, and leave
// the caches to others. They are for destinations that are larger than the caches and that nobody
// reads soon; anything else they make slower. Results are those of reduce() and copy_bytes(), with
// the same rules for overlap. On return the stores are ordered before any later one of this thread,
// so that what is published afterwards is published with them.
#pragma once

#include <span>

#include "device/kernels.h"

namespace xccl {

// `kept`: further destinations, which are written through the caches and may be sources; narrower
// than none of the others. Of many sources (over 16) it may be plain reduce().
void reduce_streamed(const Reduction& reduction, std::span<const ReduceDestination> kept = {});

void copy_bytes_streamed(std::byte* destination, const std::byte* source, std::size_t bytes);
// The source is taken (taken.h).
void copy_bytes_taken_streamed(std::byte* destination, const std::byte* source, std::size_t bytes);

}  // namespace xccl
