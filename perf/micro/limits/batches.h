// How much is measured: batches of calls, enough for a median and its spread.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

namespace xccl::limits {

struct Effort {
    int batches = 41;
    double batch_seconds = 0.002;
    int large_batches = 11;  // of what takes tens of milliseconds once

    // So little that only whether it works is to be seen.
    static Effort quick() { return {.batches = 5, .batch_seconds = 0.0002, .large_batches = 3}; }
};

double seconds_since(std::chrono::steady_clock::time_point start);

// Seconds of one call in each batch; a batch is as many calls as fill its time, found out before.
std::vector<double> seconds_per_call(const Effort& effort, const std::function<void(long)>& calls);

// The samples, each times `factor`.
std::vector<double> times(std::vector<double> samples, double factor);

}  // namespace xccl::limits
