// What the command line says, checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/sampler.h"
#include "model/gpt2_config.h"

namespace xccl::trainer {

struct Options {
    std::string text;
    double validation_fraction = 0.05;

    std::size_t layers = 5;
    std::size_t heads = 4;
    std::size_t channels = 128;
    std::size_t sequence_length = 128;

    std::uint64_t steps = 0;  // 0: no limit
    double max_time = 0;      // seconds; 0: no limit
    std::uint64_t batch = 16;
    std::uint64_t micro_batch = 0;  // 0: batch / ranks
    double learning_rate = 4e-3;
    std::uint64_t warmup = 80;
    double final_fraction = 0.05;
    double weight_decay = 0.1;
    double beta1 = 0.9;
    double beta2 = 0.95;
    double clip = 1;
    std::uint64_t seed = 1;
    std::uint64_t evaluation_sequences = 256;
    std::uint64_t evaluate_every = 0;  // steps; 0: only before and after

    std::size_t threads = 0;  // 0: the CPUs of this process, shared among the ranks of this host
    std::size_t bucket_bytes = std::size_t{1} << 20;
    bool blocking = false;
    bool reproducible = false;

    std::size_t generate = 600;
    std::string prompt = "\n";
    double temperature = 0.8;
    std::size_t top_k = 40;

    std::string report;   // empty: none
    std::string metrics;  // empty: none

    Gpt2Config model() const;
    // The step's shape on so many ranks. Throws Failure (kBadUsage) if it can't be shared out.
    StepShape step_shape(std::size_t rank_count) const;
    // Name and value of every option that shapes the result, for the report and the metrics.
    std::vector<std::pair<std::string, std::string>> described() const;
};

// The options; or nothing, when the command line asked for help or the version, which is printed.
// Throws Failure (kBadUsage) in one line that names the option and offers the nearest.
std::optional<Options> parse_options(int argument_count, const char* const* arguments);

}  // namespace xccl::trainer
