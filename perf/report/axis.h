// A logarithmic axis: where values lie, and which of them get a label.
#pragma once

#include <string>
#include <vector>

namespace xccl::perf {

class LogAxis {
  public:
    // Spans at least these positive values; starts and ends at powers of `base`, or, for base 10,
    // at 1, 2 or 5 times one.
    LogAxis(double smallest, double largest, int base);

    // 0 at the start of the axis, 1 at its end.
    double place(double value) const;
    // Values to label, at most about `most` of them.
    std::vector<double> ticks(int most) const;
    double first() const { return first_; }
    double last() const { return last_; }

  private:
    double first_;
    double last_;
    int base_;
};

std::string size_label(double bytes);     // "64 KiB"
std::string time_label(double us);        // "20 us", "5 ms"
std::string bandwidth_label(double gbs);  // "0.2"

}  // namespace xccl::perf
