#include "options/sizes.h"

#include <charconv>

namespace xccl::perf {
namespace {

// 2^62: sums of a few sizes still fit in 64 bits.
constexpr double kLargestSize = 4611686018427387904.0;

// The factor that a unit stands for; 0 for what is no unit.
double unit_factor(std::string_view unit) {
    if (unit.empty()) return 1;
    if (unit == "k" || unit == "K") return 1024.0;
    if (unit == "m" || unit == "M") return 1024.0 * 1024;
    if (unit == "g" || unit == "G") return 1024.0 * 1024 * 1024;
    return 0;
}

bool starts_a_number(char c) {
    return (c >= '0' && c <= '9') || c == '.';
}

}  // namespace

std::optional<std::size_t> parse_size(std::string_view text) {
    // from_chars would take signs, "inf" and "nan" too.
    if (text.empty() || !starts_a_number(text.front())) return std::nullopt;
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc()) return std::nullopt;
    const double factor = unit_factor(std::string_view(rest, static_cast<std::size_t>(end - rest)));
    const double bytes = number * factor;
    if (factor == 0 || !(bytes >= 0 && bytes < kLargestSize)) return std::nullopt;
    return static_cast<std::size_t>(bytes);
}

std::optional<std::size_t> SizeRange::after(std::size_t bytes) const {
    std::size_t next = 0;
    if (!multiplies()) {
        if (step_bytes == 0 || bytes > last_bytes - step_bytes || step_bytes > last_bytes) {
            return std::nullopt;
        }
        next = bytes + step_bytes;
    } else if (bytes == 0) {
        next = kBytesAfterZero;
    } else {
        if (bytes > last_bytes / factor) return std::nullopt;
        next = bytes * factor;
    }
    if (next > last_bytes) return std::nullopt;
    return next;
}

std::size_t SizeRange::count() const {
    if (first_bytes > last_bytes) return 0;
    if (!multiplies()) return step_bytes == 0 ? 1 : (last_bytes - first_bytes) / step_bytes + 1;
    std::size_t count = 1;
    for (auto size = after(first_bytes); size; size = after(*size)) ++count;
    return count;
}

}  // namespace xccl::perf
