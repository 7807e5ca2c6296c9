// Sizes as they are typed, and the sizes that a sweep visits.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace xccl::perf {

// "8", "1.5K", "32m", "8G" in bytes, with binary units; nothing if it is anything else.
std::optional<std::size_t> parse_size(std::string_view text);

// From first_bytes to last_bytes by a factor, or by a step where the factor is 1.
struct SizeRange {
    std::size_t first_bytes = std::size_t{32} << 20;
    std::size_t last_bytes = std::size_t{32} << 20;
    std::size_t step_bytes = std::size_t{1} << 20;
    std::size_t factor = 1;

    bool multiplies() const { return factor > 1; }
    // The size after this one, if there is another. Zero, which no factor leads away from, is
    // followed by kBytesAfterZero.
    std::optional<std::size_t> after(std::size_t bytes) const;
    std::size_t count() const;
};

constexpr std::size_t kBytesAfterZero = 8;  // one element of the largest datatype

}  // namespace xccl::perf
