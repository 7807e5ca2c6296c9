// Encoding: a schedule's verbs become steps, and its work chunks become places.
//
// A work chunk lives in the input until this rank writes it, in scratch while it is a partial
// result, and in the output from its last write on, if this rank must deliver it. What must be
// delivered and never was written (a rank's own block in an all_gather, everything with one rank)
// is copied at the end; in place, the executor sees that both ends are the same memory and skips.
//
// Cost: time and memory in proportion to this rank's verbs and chunks.
#pragma once

#include "base/status.h"
#include "schedule/schedule.h"
#include "schedule/steps.h"

namespace xccl {

// One lane for each strand. Fails, naming the verb, if a schedule reads what is not defined,
// leaves something undelivered, or exceeds its own bounds.
Result<Steps> encode(const Schedule& schedule);

}  // namespace xccl
