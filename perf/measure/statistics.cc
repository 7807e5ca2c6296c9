#include "measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace xccl::perf {
namespace {

// The smallest sample that at least `percent` of all samples do not exceed.
double nearest_rank(const std::vector<double>& sorted, int percent) {
    const std::size_t rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

Summary summarise(std::span<const double> samples) {
    if (samples.empty()) return {};
    std::vector<double> sorted(samples.begin(), samples.end());
    std::sort(sorted.begin(), sorted.end());
    const double count = static_cast<double>(sorted.size());

    Summary summary;
    summary.min = sorted.front();
    summary.max = sorted.back();
    summary.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / count;
    summary.p50 = sorted[sorted.size() / 2];
    summary.p95 = nearest_rank(sorted, 95);
    summary.p99 = nearest_rank(sorted, 99);
    double squares = 0;
    for (const double sample : sorted) squares += (sample - summary.mean) * (sample - summary.mean);
    summary.deviation = std::sqrt(squares / count);
    return summary;
}

}  // namespace xccl::perf
