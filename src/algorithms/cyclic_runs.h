// Ranges of chunks that wrap around, as runs that do not.
#pragma once

#include <vector>

#include "schedule/schedule.h"

namespace xccl {

// The work chunks first, first + 1, ..., first + count - 1 (each modulo n) as cells. A run ends
// where the numbers wrap, and before each offset in `cuts` (counted from `first`). Sender and
// receiver of a range call this alike, so they agree on its messages.
std::vector<Cell> cyclic_runs(int first, int count, int n, const std::vector<int>& cuts = {});

}  // namespace xccl
