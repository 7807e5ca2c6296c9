#include "schedule/value_window.h"

#include <algorithm>

namespace xccl {
namespace {

// The elements of [start, start + span) that are in [low, high).
Part overlap(std::uint64_t start, std::uint64_t span, std::uint64_t low, std::uint64_t high) {
    const std::uint64_t first = std::max(start, low), last = std::min(start + span, high);
    if (first >= last) return {};
    return {static_cast<std::uint32_t>(first - start), static_cast<std::uint32_t>(last - first)};
}

}  // namespace

std::vector<Window> windows_of(std::uint32_t chunk_count, std::uint64_t values_of_a_chunk,
                               std::uint64_t most_values) {
    const std::uint64_t most = std::max<std::uint64_t>(most_values / values_of_a_chunk, 1);
    const auto number = static_cast<std::uint32_t>((chunk_count - 1) / most + 1);
    std::vector<Window> windows;
    for (std::uint32_t w = 0; w < number; ++w) {
        const auto edge = [&](std::uint32_t i) {
            return static_cast<std::uint32_t>(std::uint64_t{chunk_count} * i / number);
        };
        windows.push_back({edge(w), edge(w + 1) - edge(w)});
    }
    return windows;
}

Window chunks_in_window(const Party& party, Space buffer, Window window) {
    const bool is_input = buffer == Space::kInput;
    const std::uint32_t count = is_input ? input_chunk_count(party) : output_chunk_count(party);
    if (count > 1) return window;
    const std::uint32_t only = is_input ? work_of_input(party, 0) : work_of_output(party, 0);
    const bool inside = count == 1 && only - window.first < window.count;
    return {0, inside ? 1u : 0u};
}

std::array<Part, 2> parts_of_span(Window window, std::uint32_t chunk, std::uint32_t span,
                                  std::uint32_t chunk_count) {
    const std::uint64_t low = window.first, high = low + window.count;
    return {overlap(chunk, span, low, high),
            overlap(chunk, span, low + chunk_count, high + chunk_count)};
}

WindowValues::WindowValues(const Party& party, Window window, std::uint32_t rows,
                           std::uint32_t output_row)
    : party_(party),
      window_(window),
      output_row_(output_row),
      values_(std::size_t{rows} * window.count, kUndefined) {}

WindowValues::WindowValues(const Party& party, Window window, bool in_place)
    : WindowValues(party, window, in_place ? 1 : 2, in_place ? 0 : 1) {}

WindowValues WindowValues::scratch(const Party& party, Window window, std::uint32_t scratch_count) {
    return {party, window, (scratch_count + party.chunk_count - 1) / party.chunk_count, 0};
}

ExpressionId* WindowValues::at(Space space, std::uint32_t chunk, std::uint32_t offset) {
    std::uint32_t work = 0, row = 0;
    if (space == Space::kScratch) {
        row = (chunk + offset) / party_.chunk_count;
        work = (chunk + offset) % party_.chunk_count;
    } else {
        const bool is_input = space == Space::kInput;
        work = (is_input ? work_of_input(party_, chunk) : work_of_output(party_, chunk)) + offset;
        row = is_input ? 0 : output_row_;
    }
    return values_.data() + std::size_t{row} * window_.count + (work - window_.first);
}

void WindowValues::forget() {
    std::fill(values_.begin(), values_.end(), kUndefined);
}

}  // namespace xccl
