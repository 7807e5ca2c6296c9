#include "measure/timing_loop.h"

#include <chrono>

namespace xccl::perf {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// With -z 1 and 2 each operation is waited for, so that none can share a group with another.
void run_operations(const LoopShape& shape, const LoopActions& actions, long first) {
    const bool waits_for_each =
        shape.blocking == Blocking::kWait || shape.blocking == Blocking::kWaitAndBarrier;
    if (!waits_for_each) {
        actions.launch(first, shape.aggregated);
        return;
    }
    for (int i = 0; i < shape.aggregated; ++i) {
        actions.launch(first + i, 1);
        actions.wait();
        if (shape.blocking == Blocking::kWaitAndBarrier) actions.barrier();
    }
}

// One iteration whose completion is awaited by itself.
double run_awaited(const LoopShape& shape, const LoopActions& actions, long first,
                   double* launching) {
    const Clock::time_point start = Clock::now();
    run_operations(shape, actions, first);
    *launching += seconds_since(start);
    actions.wait();
    return seconds_since(start);
}

}  // namespace

Timing run_timing_loop(const LoopShape& shape, const LoopActions& actions) {
    const bool barrier_is_untimed = shape.blocking == Blocking::kOuterBarrierUntimed;
    const bool awaits_iterations = barrier_is_untimed || shape.time_iterations;
    Timing timing;
    if (shape.time_iterations) {
        timing.iterations.reserve(static_cast<std::size_t>(shape.iterations));
    }
    actions.barrier();

    double awaited = 0;
    const Clock::time_point start = Clock::now();
    for (int replay = 0; replay < shape.replays; ++replay) {
        for (int i = 0; i < shape.iterations; ++i) {
            const long first =
                (static_cast<long>(replay) * shape.iterations + i) * shape.aggregated;
            if (!awaits_iterations) {
                run_operations(shape, actions, first);
                continue;
            }
            const double seconds = run_awaited(shape, actions, first, &timing.launching);
            awaited += seconds;
            if (shape.time_iterations) timing.iterations.push_back(seconds);
            if (barrier_is_untimed) actions.barrier();
        }
    }
    if (!awaits_iterations) timing.launching = seconds_since(start);
    actions.wait();
    timing.total = barrier_is_untimed ? awaited : seconds_since(start);

    timing.total /= shape.operation_count();
    timing.launching /= shape.operation_count();
    return timing;
}

}  // namespace xccl::perf
