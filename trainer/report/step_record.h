// What is known of a step when it is over.
#pragma once

#include <cstdint>

namespace xccl::trainer {

// Seconds of one rank. The first four and `other` add up to the step's wall time.
struct StepTimes {
    double compute = 0;                // forward and backward
    double exposed_communication = 0;  // waiting for sums when there was nothing left to compute
    double input = 0;                  // choosing and copying samples
    double optimizer = 0;              // norm, clipping, AdamW
    double other = 0;                  // the rest: progress, metrics
    double hidden_communication = 0;   // time in the library during backward; part of `compute`

    double total() const { return compute + exposed_communication + input + optimizer + other; }
    StepTimes& operator+=(const StepTimes& more) {
        compute += more.compute;
        exposed_communication += more.exposed_communication;
        input += more.input;
        optimizer += more.optimizer;
        other += more.other;
        hidden_communication += more.hidden_communication;
        return *this;
    }
    StepTimes& operator*=(double factor) {
        compute *= factor;
        exposed_communication *= factor;
        input *= factor;
        optimizer *= factor;
        other *= factor;
        hidden_communication *= factor;
        return *this;
    }
};

struct StepRecord {
    std::uint64_t step = 0;    // counts from 0
    std::uint64_t tokens = 0;  // of all ranks
    double elapsed = 0;        // seconds since training began, at its end
    double loss = 0;           // nats per byte, over all ranks
    double learning_rate = 0;
    double gradient_norm = 0;  // before clipping
    StepTimes times = {};      // mean over ranks
    double least_exposed = 0;  // seconds that the rank waited which waited least: not for others
};

// The loss on held-out text.
struct Evaluation {
    std::uint64_t step = 0;  // steps done before it
    double elapsed = 0;      // seconds of training before it
    double loss = 0;         // nats per byte
};

}  // namespace xccl::trainer
