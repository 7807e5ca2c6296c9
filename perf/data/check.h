// Whether a rank received what it should have, and nothing beside it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "data/pattern.h"

namespace xccl::perf {

// A run of elements in a receive buffer, and where they come from: a rank's input, or the
// combination of all inputs. All counts are elements.
struct Segment {
    static constexpr int kReduced = -1;

    std::size_t at = 0;  // in the receive buffer
    std::size_t count = 0;
    int source_rank = kReduced;
    std::size_t source_at = 0;  // in that input
};

struct Mismatch {
    std::size_t index;  // in the receive buffer
    std::string expected;
    std::string got;
};

struct CheckResult {
    std::size_t wrong_count = 0;
    std::optional<Mismatch> first;

    void add(const CheckResult& other);
};

CheckResult check_segment(const Pattern& pattern, const Segment& segment,
                          const std::byte* receive_buffer);

// Memory around a buffer that nobody may write to. Each byte that was counts as a wrong element;
// `index` is what the mismatch is reported at.
CheckResult check_poison(const std::byte* memory, std::size_t bytes, std::size_t index);

}  // namespace xccl::perf
