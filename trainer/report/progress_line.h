// What is seen while it runs: one line that is redrawn on a terminal, or a line now and then where
// output goes to a file or a pipe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "report/step_record.h"

namespace xccl::trainer {

struct Progress {
    double done = 0;          // 0 to 1
    double seconds_left = 0;  // the estimate
    std::uint64_t step = 0;   // steps done
    std::uint64_t steps = 0;  // of so many; 0: time decides
    double loss = 0;          // smoothed
    double tokens_per_second = 0;
    StepTimes times;  // recent
};

// The line, at most `width` columns: as much as fits, what matters most to the last.
std::string progress_text(const Progress& progress, std::size_t width);

class ProgressLine {
  public:
    explicit ProgressLine(std::FILE* out);
    // Leaves a terminal's line as it is, complete.
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ProgressLine(ProgressLine&&) = delete;
    ProgressLine& operator=(ProgressLine&&) = delete;

    // True when enough time has passed since the last show(); `elapsed` in seconds.
    bool due(double elapsed) const { return elapsed >= next_; }
    void show(const Progress& progress, double elapsed);
    // Ends the line, so that other text can follow.
    void finish();

  private:
    std::FILE* out_;
    bool terminal_;
    bool open_ = false;  // a line without its end is on the terminal
    double next_ = 0;
    double interval_;
};

}  // namespace xccl::trainer
