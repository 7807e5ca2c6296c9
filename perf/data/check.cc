#include "data/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace xccl::perf {
namespace {

bool equal(const Pattern& pattern, std::uint64_t expected, std::uint64_t got) {
    if (expected == got) return true;
    const bool is_rounded = pattern.type.is_float && pattern.op == Operator::kAvg;
    return is_rounded && distance_in_ulps(pattern.type, expected, got) <= kAvgToleranceUlps;
}

// One period of what is expected, or less where the segment is shorter.
std::vector<std::byte> expected_period(const Pattern& pattern, const Segment& segment,
                                       std::size_t count) {
    std::vector<std::byte> period(count * pattern.type.bytes);
    if (segment.source_rank == Segment::kReduced) {
        fill_reduced(pattern, segment.source_at, count, period.data());
    } else {
        fill_input(pattern, segment.source_rank, segment.source_at, count, period.data());
    }
    return period;
}

void compare(const Pattern& pattern, const std::byte* expected, const std::byte* got,
             std::size_t count, std::size_t first_index, CheckResult* result) {
    const std::size_t bytes = pattern.type.bytes;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t expected_bits = load_bits(pattern.type, expected + i * bytes);
        const std::uint64_t got_bits = load_bits(pattern.type, got + i * bytes);
        if (equal(pattern, expected_bits, got_bits)) continue;
        ++result->wrong_count;
        if (result->first) continue;
        result->first = Mismatch{first_index + i, element_text(pattern.type, expected_bits),
                                 element_text(pattern.type, got_bits)};
        if (result->first->expected == result->first->got) {  // NaNs, or zeros of two signs
            result->first->expected += fmt::format(" (bits {:#x})", expected_bits);
            result->first->got += fmt::format(" (bits {:#x})", got_bits);
        }
    }
}

}  // namespace

void CheckResult::add(const CheckResult& other) {
    wrong_count += other.wrong_count;
    if (!first) first = other.first;
}

CheckResult check_segment(const Pattern& pattern, const Segment& segment,
                          const std::byte* receive_buffer) {
    CheckResult result;
    const std::size_t period_count = std::min(segment.count, kPeriod);
    const std::vector<std::byte> expected = expected_period(pattern, segment, period_count);
    for (std::size_t done = 0; done < segment.count; done += period_count) {
        const std::size_t count = std::min(period_count, segment.count - done);
        const std::byte* got = receive_buffer + (segment.at + done) * pattern.type.bytes;
        if (std::memcmp(got, expected.data(), count * pattern.type.bytes) == 0) continue;
        compare(pattern, expected.data(), got, count, segment.at + done, &result);
    }
    return result;
}

CheckResult check_poison(const std::byte* memory, std::size_t bytes, std::size_t index) {
    std::vector<std::byte> untouched(bytes);
    poison(untouched.data(), bytes);
    CheckResult result;
    for (std::size_t i = 0; i < bytes; ++i) {
        if (memory[i] == untouched[i]) continue;
        ++result.wrong_count;
        if (result.first) continue;
        result.first = Mismatch{index, "memory outside the buffer left alone",
                                fmt::format("byte {:#x} written there", memory[i])};
    }
    return result;
}

}  // namespace xccl::perf
