// The timed part of a measurement: barrier, then iterations back to back, then one wait.
//
// It knows no collective and no library: what to launch, how to wait and what a barrier is are
// handed in, so that rivals are measured by the same loop.
#pragma once

#include <functional>
#include <vector>

#include "options/options.h"

namespace xccl::perf {

struct LoopShape {
    int iterations = 20;
    int aggregated = 1;  // operations per iteration
    int replays = 1;     // the whole loop, this many times
    Blocking blocking = Blocking::kNone;
    bool time_iterations = false;

    double operation_count() const {
        return static_cast<double>(iterations) * aggregated * replays;
    }
};

struct LoopActions {
    // Issues operations [first, first + count), as one group if they are several. `first` counts
    // all operations of the loop, and chooses the buffers.
    std::function<void(long first, int count)> launch;
    std::function<void()> wait;  // returns when all that was launched is complete
    std::function<void()> barrier;
};

// Seconds of one operation; `iterations` holds those of each iteration, of all its operations.
struct Timing {
    double total = 0;
    double launching = 0;  // the share in which operations were issued
    std::vector<double> iterations;
};

Timing run_timing_loop(const LoopShape& shape, const LoopActions& actions);

}  // namespace xccl::perf
