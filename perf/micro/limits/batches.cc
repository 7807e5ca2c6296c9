#include "limits/batches.h"

namespace xccl::limits {

double seconds_since(std::chrono::steady_clock::time_point start) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    return passed.count();
}

std::vector<double> seconds_per_call(const Effort& effort, const std::function<void(long)>& calls) {
    using Clock = std::chrono::steady_clock;
    constexpr long kMostCalls = 1L << 30;
    long count = 1;
    for (double passed = 0; passed < effort.batch_seconds && count < kMostCalls;) {
        count *= 2;
        const auto start = Clock::now();
        calls(count);
        passed = seconds_since(start);
    }
    std::vector<double> samples;
    samples.reserve(static_cast<std::size_t>(effort.batches));
    for (int batch = 0; batch < effort.batches; ++batch) {
        const auto start = Clock::now();
        calls(count);
        samples.push_back(seconds_since(start) / static_cast<double>(count));
    }
    return samples;
}

std::vector<double> times(std::vector<double> samples, double factor) {
    for (double& sample : samples) sample *= factor;
    return samples;
}

}  // namespace xccl::limits
