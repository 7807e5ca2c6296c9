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
//
// Variables outlive the launcher that set them, in the children of its processes. What has
// certainly leaked is passed over: Slurm's outside a step, or where the step only started another
// launcher, and PMI's where the connection that PMI_FD names is not there.
//   invalid_argument  a variable is malformed, or rank >= size; names both
Result<LaunchInfo> detect_launch();

// What PMIx knows of this process; the environment has the rank alone.
struct PmixStanding {
    int size = 1;
    int local_rank = 0;
    int local_size = 0;  // 0: not known
};

// The same, pure: `variable` looks names up, `ask_pmix` asks PMIx (no value: no answer), and is
// called only if no other family answers and PMIX_RANK is there.
using VariableLookup = std::function<std::optional<std::string>(const char* name)>;
using PmixQuery = std::function<std::optional<PmixStanding>()>;
Result<LaunchInfo> detect_launch(const VariableLookup& variable, const PmixQuery& ask_pmix);

// How many tasks Slurm placed on a node: `tasks_per_node` is "4", or "4(x2),3" for three nodes.
// 0 if the text says nothing of that node.
int slurm_tasks_on_node(const std::string& tasks_per_node, int node);

}  // namespace xccl
