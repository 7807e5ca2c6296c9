// What xccl-tests takes from the environment: XCCL_TESTS_* or, where that is not set, the
// NCCL_TESTS_* of nccl-tests.
//
// The environment comes in as a value, from main's third parameter.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xccl::perf {

// How the processes of a job form several communicators that run side by side: those with equal
// color(process) form one.
class SplitRule {
  public:
    enum class Kind { kAnd, kOr, kModulo, kDivide };
    SplitRule(Kind kind, unsigned long long operand) : kind_(kind), operand_(operand) {}
    int color(int process) const;

  private:
    Kind kind_;
    unsigned long long operand_;
};

// A received element to damage before it is checked, to see that the alarm rings.
struct Damage {
    int rank = 0;
    std::size_t index = 0;
};

struct EnvironmentSettings {
    int first_device = -1;           // DEVICE; -1: by local rank
    std::optional<SplitRule> split;  // SPLIT_MASK, SPLIT
    double least_bandwidth = 0;      // MIN_BW, GB/s; 0: any will do
    double spread = 1;               // ALLTOALLV_SPREAD
    std::string matrix_path;         // ALLTOALLV_MATRIX_FILE
    double matrix_scale = 1;         // ALLTOALLV_MATRIX_SCALE
    bool traffic_summary = false;    // ALLTOALLV_PRINT_SUMMARY
    std::optional<Damage> damage;    // CORRUPT
    std::size_t memory_bytes = 0;    // MEMORY, of the host for all its ranks; 0: what is available
    std::vector<std::string> warnings;
};

// Entries are "NAME=value". Throws Failure (kInvalidUsage) for a malformed value.
EnvironmentSettings parse_environment(std::span<const std::string_view> environment);

// "mod 2", "& 0x3", "DIV 0b10"; nothing if it is no such rule.
std::optional<SplitRule> parse_split(std::string_view text);

// The entries that a report may show: XCCL_*, NCCL_* and OMPI_*, none that holds a secret.
std::vector<std::string> reportable(std::span<const std::string_view> environment);

}  // namespace xccl::perf
