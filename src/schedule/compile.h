// From a schedule to the program that runs: the passes in their order.
#pragma once

#include "base/status.h"
#include "schedule/schedule.h"
#include "schedule/steps.h"

namespace xccl {

struct CompileOptions {
    bool fused = true;
    int copies = 1;  // of each strand; lanes = strands * copies
};

Result<Steps> compile(const Schedule& schedule, const CompileOptions& options = {});

}  // namespace xccl
