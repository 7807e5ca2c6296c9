// Where this process stands in its job, from what its launcher left in the environment.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/status.h"

namespace xccl {

struct LaunchInfo {
    // "xccl-run", "openmpi", "torchrun", "slurm", "pmi", "pmix", or "none": rank 0 of 1.
    std::string launcher = "none";
    int rank = 0;
    int size = 1;
    int local_rank = 0;
    int local_size = 1;  // 0: not known
};

// The first family of these that names both rank and size: XCCL_*, Open MPI's, RANK/WORLD_SIZE,
// Slurm's (in a job step), PMI's, PMIx's.
//   invalid_argument  a variable is malformed, or rank >= size; names both
Result<LaunchInfo> detect_launch();

// The same, pure: `variable` looks names up, `pmix_size` asks PMIx for the size (0: no answer).
using VariableLookup = std::function<std::optional<std::string>(const char* name)>;
Result<LaunchInfo> detect_launch(const VariableLookup& variable,
                                 const std::function<int()>& pmix_size);

}  // namespace xccl
