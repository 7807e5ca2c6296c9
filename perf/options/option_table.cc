#include "options/option_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "failure.h"
#include "options/nearest_name.h"

namespace xccl::perf {
namespace {

using Argument = OptionArgument;

constexpr int kAnyNumber = std::numeric_limits<int>::max();
constexpr int kMostRanks = 1 << 15;  // the product of two still fits; less is possible

// Names that others use.
struct Alias {
    std::string_view alias;
    std::string_view name;
};
constexpr std::array<Alias, 9> kTypeAliases = {{
    {"char", "int8"},
    {"int", "int32"},
    {"float16", "half"},
    {"float32", "float"},
    {"float64", "double"},
    {"bf16", "bfloat16"},
    {"fp8e4m3", "f8e4m3"},
    {"fp8e5m2", "f8e5m2"},
    {"fp16", "half"},
}};

std::string_view without_alias(std::string_view name) {
    for (const Alias& alias : kTypeAliases) {
        if (alias.alias == name) return alias.name;
    }
    return name;
}

// As nccl-tests has it, a misspelt name is told of, and the default is measured.
void tell_unknown(const Argument& a, std::string_view what, std::string_view fallback,
                  std::span<const std::string_view> known) {
    a.parsed->notes.push_back(
        fmt::format("invalid {} {}, defaulting to {} .. ", what, a.text, fallback));
    a.parsed->warnings.push_back(
        fmt::format("{} is no {}{}", a.text, what, suggestion(a.text, known)));
}

void set_types(Options& o, const Argument& a) {
    o.types.clear();
    std::vector<std::string_view> known{"all"};
    for (const ElementType& type : kElementTypes) {
        if (a.text == "all" || without_alias(a.text) == type.name) o.types.push_back(type);
        known.push_back(type.name);
    }
    if (!o.types.empty()) return;
    o.types.push_back(kElementTypes[kFloatIndex]);
    tell_unknown(a, "type", "float", known);
}

void set_operators(Options& o, const Argument& a) {
    o.operators.clear();
    std::vector<std::string_view> known{"all"};
    for (std::size_t i = 0; i < static_cast<std::size_t>(Operator::kNone); ++i) {
        if (a.text == "all" || a.text == kOperatorNames[i]) {
            o.operators.push_back(static_cast<Operator>(i));
        }
        known.push_back(kOperatorNames[i]);
    }
    if (!o.operators.empty()) return;
    o.operators.push_back(Operator::kSum);
    tell_unknown(a, "op", "sum", known);
}

void set_device_implementation(Options&, const Argument& a) {
    if (a.number(0, kAnyNumber) == 0) return;
    throw Failure(ExitCode::kBadSize,
                  fmt::format("{} {}: xccl has no device API on host memory; leave the option out",
                              a.option, a.text));
}

void set_device_cta_count(Options& o, const Argument& a) {
    const int count = a.number(std::numeric_limits<int>::min(), kAnyNumber);
    if (count >= 1 && count <= 128) {
        o.device_cta_count = count;
        return;
    }
    a.parsed->warnings.push_back(
        fmt::format("{} {}: must be 1 to 128; 16 is taken", a.option, a.text));
}

// clang-format off
constexpr std::array<OptionRow, 34> kTable = {{
 {'t', "nthreads", "num threads", "threads per process, each with its own ranks (default 1)",
  [](Options& o, const Argument& a) { o.threads = a.number(1, kMostRanks); }},
 {'g', "ngpus", "gpus per thread", "ranks driven by one thread, in a group (default 1)",
  [](Options& o, const Argument& a) { o.ranks_per_thread = a.number(1, kMostRanks); }},
 {'b', "minbytes", "min size in bytes", "first size; K, M, G are binary (default 32M)",
  [](Options& o, const Argument& a) { o.sizes.first_bytes = a.size("minbytes"); }},
 {'e', "maxbytes", "max size in bytes", "last size, and that of the buffers (default 32M)",
  [](Options& o, const Argument& a) { o.sizes.last_bytes = a.size("maxbytes"); }},
 {'i', "stepbytes", "increment size", "added to get the next size (default 1M)",
  [](Options& o, const Argument& a) { o.sizes.step_bytes = a.size("stepbytes"); }},
 {'f', "stepfactor", "increment factor", "multiplied to get the next size; wins over -i (default off)",
  [](Options& o, const Argument& a) { o.sizes.factor = static_cast<std::size_t>(a.number(1, kAnyNumber)); }},
 {'n', "iters", "iteration count", "timed iterations (default 20)",
  [](Options& o, const Argument& a) { o.iterations = a.number(1, kAnyNumber); }},
 {'m', "agg_iters", "aggregated iteration count", "operations per iteration, in one group (default 1)",
  [](Options& o, const Argument& a) { o.aggregated = a.number(1, kAnyNumber); }},
 {'w', "warmup_iters", "warmup iteration count", "untimed operations of each warm-up size (default 1)",
  [](Options& o, const Argument& a) { o.warmup = a.number(0, kAnyNumber); }},
 {'N', "run_cycles", "run cycles", "repeat the whole sweep; 0: until interrupted (default 1)",
  [](Options& o, const Argument& a) { o.cycles = a.number(0, kAnyNumber); }},
 {'p', "parallel_init", "0/1", "each thread makes its own communicators (default 0)",
  [](Options& o, const Argument& a) { o.parallel_init = a.flag(); }},
 {'I', "per_iter_timing", "0/1", "time each iteration by itself (default 0)",
  [](Options& o, const Argument& a) { o.per_iteration = a.flag(); }},
 {'K', "per_iter_skip", "count", "leading iterations left out of the summary of -I (default 0)",
  [](Options& o, const Argument& a) { o.skipped_iterations = a.number(0, kAnyNumber); }},
 {'c', "check", "check iteration count", "checks of each row and placement; 0: none (default 1)",
  [](Options& o, const Argument& a) { o.checks = a.number(0, kAnyNumber); }},
 {'o', "op", "sum/prod/min/max/avg/mulsum/all", "reduction (default sum)", set_operators},
 {'d', "datatype", "type/all", "int8 uint8 int32 uint32 int64 uint64 half float double bfloat16 f8e4m3 f8e5m2 (default float)",
  set_types},
 {'r', "root", "root/-1", "root rank; -1: each in turn (default 0)",
  [](Options& o, const Argument& a) { o.root = a.number(Options::kAllRoots, kAnyNumber); }},
 {'z', "blocking", "0/1/2/3", "1: wait and barrier after each operation; 2: wait only; 3: both after each "
  "iteration, barrier untimed (default 0)",
  [](Options& o, const Argument& a) { o.blocking = static_cast<Blocking>(a.number(0, 3)); }},
 {'y', "stream_null", "0/1", "use the null stream: calls return when done (default 0)",
  [](Options& o, const Argument& a) { o.null_stream = a.flag(); }},
 {'T', "timeout", "seconds", "abort what takes longer, exit 4 (default 0: never)",
  [](Options& o, const Argument& a) { o.timeout_s = a.number(0, kAnyNumber); }},
 {'G', "cudagraph", "num graph launches", "queue all iterations on a stream this many times over (default 0: off)",
  [](Options& o, const Argument& a) { o.replays = a.number(0, kAnyNumber); }},
 {'C', "report_cputime", "0/1", "the time column is that of issuing, not of completion (default 0)",
  [](Options& o, const Argument& a) { o.report_cpu_time = a.flag(); }},
 {'a', "average", "0/1/2/3", "combine ranks' times: rank 0, mean, min, max (default 1)",
  [](Options& o, const Argument& a) { o.average = static_cast<Average>(a.number(0, 3)); }},
 {'R', "local_register", "0/1/2", "1: register the buffers; 2: symmetric windows, here as 1 (default 0)",
  [](Options& o, const Argument& a) { o.local_register = a.number(0, 2); }},
 {'x', "cta_policy", "0/1/2", "for accelerators; nothing on host memory",
  [](Options& o, const Argument& a) { o.cta_policy = a.number(0, 2); }},
 {'D', "device_implementation", "number", "device-API kernels; only 0 on host memory (default 0)",
  set_device_implementation},
 {'V', "device_cta_count", "number", "for -D (default 16)", set_device_cta_count},
 {'J', "output_file", "file.json", "also write the results as JSON; never overwrites",
  [](Options& o, const Argument& a) { o.json_path = a.text; }},
 {'S', "report_timestamps", "0/1", "end each row with date and time (default 0)",
  [](Options& o, const Argument& a) { o.timestamps = a.flag(); }},
 {'M', "memory", "0/1", "report memory use at the end (default 0)",
  [](Options& o, const Argument& a) { o.memory_report = a.flag(); }},
 {'u', "unalign", "index of first element", "shift both buffers by that many elements (default 0)",
  [](Options& o, const Argument& a) { o.unalign = static_cast<std::size_t>(a.number(0, kMostRanks)); }},
 {'h', "help", "", "print this",
  [](Options& o, const Argument&) { o.help = true; }},
 {0, "percentiles", "", "two more columns for each placement: p50 and p99 of single iterations",
  [](Options& o, const Argument&) { o.percentiles = true; }},
 {0, "plot", "file.svg", "also draw bandwidth and time against size",
  [](Options& o, const Argument& a) { o.plot_path = a.text; }},
}};
// clang-format on

}  // namespace

int OptionArgument::number(int least, int most) const {
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && rest == end && value >= least && value <= most) return value;
    std::string range = fmt::format("a number from {} to {}", least, most);
    if (most == kAnyNumber) range = fmt::format("a number, at least {}", least);
    throw Failure(ExitCode::kInvalidUsage,
                  fmt::format("option {}: '{}' is not {}", option, text, range));
}

std::size_t OptionArgument::size(std::string_view what) const {
    const auto bytes = parse_size(text);
    if (bytes) return *bytes;
    throw Failure(ExitCode::kBadSize, fmt::format("invalid size specified for '{}'", what));
}

std::span<const OptionRow> option_table() {
    return kTable;
}

}  // namespace xccl::perf
