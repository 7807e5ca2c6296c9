// Proofs of many chunks over many ranks, a window of chunks at a time.
//
// A step moves or combines element i of its operands with element i of the others, and these are of
// one chunk (check_steps.h sees to that), so values of one chunk never meet those of another. What
// a run does (which step is taken when, which message meets which step) does not look at values. So
// runs that take all steps alike, each with the values of another window of chunks, prove together
// what one run with all values does. They need memory for the values of one window only, and that
// stays in cache.
//
// An all_to_all has two numberings of chunks, and one window.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "schedule/contract.h"
#include "schedule/expressions.h"
#include "schedule/steps.h"

namespace xccl {

// Work chunks [first, first + count).
struct Window {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

// Windows of equal counts that cover all chunks, each of about `most_values` values over all ranks.
std::vector<Window> windows_of(std::uint32_t chunk_count, std::uint64_t values_of_a_chunk,
                               std::uint64_t most_values);

// The chunks of a rank's kInput or kOutput buffer that are work chunks of the window.
Window chunks_in_window(const Party& party, Space buffer, Window window);

// A run of consecutive elements of a step's span.
struct Part {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};

// The elements of a span that starts at work chunk `chunk` and lie in the window: two runs at the
// most, since a span may wrap around. Unused ones have no length.
std::array<Part, 2> parts_of_span(Window window, std::uint32_t chunk, std::uint32_t span,
                                  std::uint32_t chunk_count);

// The values of one window in a rank's buffers, or in a lane's scratch. In place, the cells of both
// buffers that are the same memory are the same work chunk.
class WindowValues {
  public:
    WindowValues() = default;
    WindowValues(const Party& party, Window window, bool in_place);
    static WindowValues scratch(const Party& party, Window window, std::uint32_t scratch_count);

    // Where the values of an operand in memory begin, from element `offset` of its span on; all of
    // a part follow each other.
    ExpressionId* at(Space space, std::uint32_t chunk, std::uint32_t offset);
    void forget();

  private:
    WindowValues(const Party& party, Window window, std::uint32_t rows, std::uint32_t output_row);

    Party party_;
    Window window_;
    std::uint32_t output_row_ = 0;
    std::vector<ExpressionId> values_;
};

}  // namespace xccl
