// The command line of every *_perf program. The options, their order and their defaults are those
// of nccl-tests, so that command lines can be pasted.
//
// Parsing is pure: arguments in, a value and what to tell the user out.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/element_types.h"
#include "options/sizes.h"

namespace xccl::perf {

// -z: what happens between timed iterations.
enum class Blocking { kNone, kWaitAndBarrier, kWait, kOuterBarrierUntimed };
// -a: how the times of all ranks become one.
enum class Average { kFirstRank, kMean, kMin, kMax };

struct Options {
    int threads = 1;           // -t
    int ranks_per_thread = 1;  // -g
    SizeRange sizes;           // -b -e -i -f
    int iterations = 20;       // -n
    int aggregated = 1;        // -m
    int warmup = 1;            // -w
    int cycles = 1;            // -N; 0: until interrupted
    bool parallel_init = false;
    int checks = 1;                                   // -c
    std::vector<Operator> operators{Operator::kSum};  // -o
    std::vector<ElementType> types{kElementTypes[kFloatIndex]};
    int root = 0;  // -r; kAllRoots
    Blocking blocking = Blocking::kNone;
    bool null_stream = false;  // -y
    int timeout_s = 0;         // -T; 0: none
    int replays = 0;           // -G; 0: issue the operations directly
    bool report_cpu_time = false;
    bool timestamps = false;
    std::string json_path;  // -J
    Average average = Average::kMean;
    int local_register = 0;     // -R
    int cta_policy = -1;        // -x; -1: not given
    int device_cta_count = 16;  // -V
    bool memory_report = false;
    std::size_t unalign = 0;  // -u, elements
    bool per_iteration = false;
    int skipped_iterations = 0;  // -K
    bool help = false;
    // Ours.
    bool percentiles = false;
    std::string plot_path;

    static constexpr int kAllRoots = -1;
    int ranks_per_process() const { return threads * ranks_per_thread; }
    bool times_iterations() const { return per_iteration || percentiles; }
};

struct ParsedOptions {
    Options options;
    std::vector<std::string> notes;     // for stdout, as nccl-tests prints them there
    std::vector<std::string> warnings;  // for stderr
};

// Throws Failure: kInvalidUsage for what is no option or no value of it, kBadSize for sizes.
ParsedOptions parse_options(std::span<const std::string_view> arguments);

// Whether it ends in .json, in letters of any case.
bool is_json_path(std::string_view path);

// What --help prints.
std::string usage(std::string_view program);

}  // namespace xccl::perf
