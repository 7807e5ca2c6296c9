// One line of results, as every report shows it. Times are of one operation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "measure/statistics.h"

namespace xccl::perf {

// Single iterations: the slowest rank's time of each.
struct IterationTimes {
    int skipped = 0;
    Summary summary_us;  // without the skipped ones
    std::vector<double> times_us;
    std::vector<std::vector<double>> per_process_us;  // only with several processes
};

// One placement: out of place, or in place.
struct Measurement {
    double time_us = 0;
    double algorithm_gbs = 0;  // GB = 1e9 bytes
    double bus_gbs = 0;
    std::optional<long> wrong;  // elements; nothing: not checked
    std::optional<IterationTimes> iterations;
};

struct Row {
    std::size_t size = 0;
    std::size_t count = 0;
    std::string type;
    std::string op;
    int root = -1;
    Measurement out_of_place;
    Measurement in_place;
    std::string timestamp;  // empty: not asked for
    int iterations = 0;
};

}  // namespace xccl::perf
