// What messages cost between two cores.
#pragma once

#include "machine/measured_costs.h"
#include "machine/stopwatch.h"

namespace xccl {

// Sets latency and cost of a slot's byte, for which it needs that of a buffer's. Where only one CPU
// may be used there is nothing to measure.
void measure_messages(const Stopwatch& stopwatch, MeasuredCosts* costs);

}  // namespace xccl
