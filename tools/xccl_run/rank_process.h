// Starting one process of the job.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl::run {

struct RankSetting {
    int rank = 0;
    int size = 1;
    std::string job_id;  // name:secret
    pid_t group = 0;
    int input = -1;  // standard input
    std::optional<cpu_set_t> cpus;
    bool relayed = false;  // output and errors go through pipes
    sigset_t signal_mask{};
};

struct RankProcess {
    pid_t process = -1;
    OwnedDescriptor output, errors;  // non-blocking, if relayed
};

// Why the program does not run, and with what status shells tell that.
struct StartFailure {
    Status status;
    int exit_status = 126;
};

// Returns when the program runs. `process` is set even if it does not, and must be waited for.
std::optional<StartFailure> start_rank(const std::vector<std::string>& command,
                                       const RankSetting& setting, RankProcess* started);

// The share of rank `rank` in the CPUs that this process may use.
//   invalid_usage  fewer CPUs than ranks
Result<cpu_set_t> share_of_cpus(int rank, int size);
Result<cpu_set_t> share_of_cpus(const cpu_set_t& allowed, int rank, int size);

}  // namespace xccl::run
