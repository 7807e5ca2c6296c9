// What one core can do with what lies in its caches, and where they end.
#pragma once

#include "machine/measured_costs.h"
#include "machine/stopwatch.h"

namespace xccl {

// Sets what a buffer's byte costs, and a source more.
void measure_caches(const Stopwatch& stopwatch, MeasuredCosts* costs);
// Sets cached_bytes, if results had better be streamed from a size on that there was time to try.
void measure_streaming(const Stopwatch& stopwatch, MeasuredCosts* costs);

}  // namespace xccl
