// Lanes: copies of a program that work on different tiles at the same time, each over connections
// of its own, so that one can wait while another moves bytes.
#pragma once

#include "base/status.h"
#include "schedule/steps.h"

namespace xccl {

// `copies` copies of each strand of steps that have one: copy j of strand s becomes lane
// j * strand_count + s. Fails if there would be more than kMaxLanes.
Result<Steps> split_into_lanes(Steps steps, int copies);

}  // namespace xccl
