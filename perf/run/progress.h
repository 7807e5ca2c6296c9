// "row 12 of 28, 64 MiB float sum, about 40 s left": on standard error, on a terminal only, and
// only once a run has taken two seconds. One line, rewritten in place, gone before a row is
// printed.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace xccl::perf {

class Progress {
  public:
    // Shows nothing unless `enabled`.
    explicit Progress(bool enabled) : enabled_(enabled) {}

    // What the whole run will do: rows, and the sum of row_weight() over them.
    void expect(std::size_t rows, double weight);
    void start_row(const std::string& what, double weight);
    // Called a few times a second.
    void show();
    // Takes the line away.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;
    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
    std::string text(double seconds) const;

    const bool enabled_;
    const Clock::time_point start_ = Clock::now();
    std::mutex mutex_;
    std::size_t rows_ = 0;
    std::size_t row_ = 0;
    double weight_ = 0;
    double done_ = 0;
    double current_ = 0;
    double row_start_s_ = 0;  // since start_
    std::string what_;
    bool is_shown_ = false;
};

// How long a row takes beside others: a part for its bytes, and one for its calls.
double row_weight(std::size_t bytes);

// "40 s", "3 min", "2.5 h"
std::string duration_text(double seconds);

}  // namespace xccl::perf
