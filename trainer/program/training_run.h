// A run from the first evaluation to the last word.
#pragma once

#include "data/corpus.h"
#include "program/job.h"
#include "program/options.h"
#include "program/run_log.h"
#include "report/run_summary.h"

namespace xccl::trainer {

// What is known of the run before it begins.
RunSummary described_run(const Options& options, const Job& job);

// Trains until a limit or a signal, and leaves the job. `log` is null on all ranks but 0. Returns
// the exit code, the same on every rank. Throws Failure.
int run_training(const Options& options, const StepShape& shape, const Corpus& corpus, Job& job,
                 RunLog* log);

}  // namespace xccl::trainer
