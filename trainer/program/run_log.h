// What rank 0 shows and writes of a run: the plan, the live line, the metrics, the account at the
// end, and the report.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "program/learning_rate.h"
#include "program/options.h"
#include "report/history.h"
#include "report/output_file.h"
#include "report/progress_line.h"
#include "report/run_summary.h"
#include "report/step_record.h"

namespace xccl::trainer {

class RunLog {
  public:
    // Opens the files and writes the first line of metrics. Throws Failure (kOutputFailed) if a
    // file can't be written.
    RunLog(const Options& options, const RunSummary& run);
    // Metrics of a run that failed on the way are kept; of one that never began, they are not.
    ~RunLog();
    RunLog(const RunLog&) = delete;
    RunLog& operator=(const RunLog&) = delete;
    RunLog(RunLog&&) = delete;
    RunLog& operator=(RunLog&&) = delete;

    // `plan`: what is printed before the first step.
    void begin(const std::string& plan);
    void evaluated(const Evaluation& evaluation);
    void stepped(const StepRecord& record);
    // Training is over; text may be printed.
    void stop();
    // Prints the account, writes the report. Throws Failure (kOutputFailed) when the files are not
    // there as they should be.
    void end(RunSummary run);

    const History& history() const { return history_; }

  private:
    void write_metrics(const std::string& line);
    Progress progress() const;

    const Options& options_;
    const RunLimit limit_;
    std::unique_ptr<OutputFile> metrics_;
    std::unique_ptr<OutputFile> report_;
    std::string metrics_failure_;  // why there are none any more
    bool begun_ = false;
    History history_;
    ProgressLine line_;

    // Running means for the live line, which forget with each step.
    StepRecord last_;
    double mean_loss_ = 0;
    double mean_tokens_ = 0;
    double mean_seconds_ = 0;
    StepTimes mean_times_;
};

}  // namespace xccl::trainer
