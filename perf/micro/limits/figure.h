// A figure of the machine: the median of many batches, and how far they lie apart.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xccl::limits {

struct Figure {
    std::string name;
    std::string unit;   // "ns", "us" or "GB/s"
    double value = 0;   // the median
    double spread = 0;  // interquartile range / median
    int batches = 0;
    std::string reason;  // why there is no figure; else empty

    // Batches so far apart say what the machine was disturbed by, not what it can do.
    bool is_void() const { return !reason.empty() || spread > kMostSpread; }
    static constexpr double kMostSpread = 0.10;
};

// The value below which `share` of the samples lie, between two of them in proportion. 0 of none.
double quantile(std::span<const double> samples, double share);

Figure figure_of(std::string_view name, std::string_view unit, std::span<const double> samples);
// In place of a figure that this machine does not have.
Figure no_figure(std::string_view name, std::string_view unit, std::string_view reason);

// One line, without its end.
std::string json_line(const Figure& figure);
std::string table(const std::vector<Figure>& figures);

}  // namespace xccl::limits
