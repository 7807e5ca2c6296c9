// All that is told about a run when it is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "report/step_record.h"

namespace xccl::trainer {

struct RunSummary {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string launcher;  // as xccl.h names it
    std::string machine;   // where rank 0 ran
    std::string date;
    std::string instruction_set;
    std::size_t rank_count = 1;
    std::size_t thread_count = 1;  // of each rank
    std::size_t parameter_count = 0;
    double flops_per_token = 0;

    bool interrupted = false;
    std::uint64_t steps = 0;
    std::uint64_t tokens = 0;
    double seconds = 0;  // of training, evaluations apart
    std::vector<Evaluation> evaluations;
    std::vector<StepRecord> history;
    std::size_t steps_per_point = 1;
    std::vector<StepTimes> rank_times;  // [rank_count] sums over all steps
    std::string parameter_checksum;
    std::string prompt;
    std::string sample;

    double tokens_per_second() const {
        return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
    }
    StepTimes times() const {
        StepTimes sum;
        for (const StepTimes& times : rank_times) sum += times;
        return sum;
    }
};

}  // namespace xccl::trainer
