// What can be said of one rank's steps without running them.
#pragma once

#include "base/status.h"
#include "schedule/contract.h"
#include "schedule/steps.h"

namespace xccl {

// Where an operand in memory lies, for one rank: equal cells are the same memory.
class MemoryMap {
  public:
    MemoryMap(const Party& party, bool in_place, std::uint32_t scratch_chunk_count);

    // Operands of different lanes' scratch share indices; is_scratch() tells.
    std::uint32_t cell(Space space, std::uint32_t chunk) const {
        if (space == Space::kInput) return input_start_ + chunk;
        if (space == Space::kOutput) return output_start_ + chunk;
        return scratch_start_ + chunk;
    }
    std::uint32_t buffer_cell_count() const { return scratch_start_; }
    std::uint32_t cell_count() const { return cell_count_; }

  private:
    std::uint32_t input_start_ = 0;
    std::uint32_t output_start_ = 0;
    std::uint32_t scratch_start_ = 0;
    std::uint32_t cell_count_ = 0;
};

// Bounds, lengths, aliasing inside a step, and cells that strands share. Everything that the
// executor relies on and that does not depend on other ranks.
Status check_steps(const Steps& steps, const Party& party, bool in_place);

}  // namespace xccl
