// What single measurements say together.
#pragma once

#include <span>

namespace xccl::perf {

struct Summary {
    double min = 0;
    double max = 0;
    double mean = 0;
    double p50 = 0;  // sorted[n / 2]
    double p95 = 0;  // nearest rank
    double p99 = 0;
    double deviation = 0;  // standard deviation of the population

    double variation_percent() const { return mean > 0 ? 100 * deviation / mean : 0; }
};

// All zero where there are no samples.
Summary summarise(std::span<const double> samples);

}  // namespace xccl::perf
