// A rank's memory for one operation, with guards around everything that the operation may touch.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "executor/launch.h"
#include "simulator/operation.h"

namespace xccl::simulator {

class CallBuffers {
  public:
    // Bytes that stand between guards.
    class Guarded {
      public:
        Guarded() = default;
        Guarded(std::size_t byte_count, std::size_t misalignment);
        std::byte* data() { return memory_.data() + start_; }
        const std::byte* data() const { return memory_.data() + start_; }
        std::size_t size() const { return size_; }
        bool guards_intact() const;

      private:
        std::vector<std::byte> memory_;
        std::size_t start_ = 0;
        std::size_t size_ = 0;
    };

    CallBuffers(const Operation& operation, int rank, int rank_count);

    Buffers buffers();
    // Of a group: the memory of its transfer `index` at this rank.
    std::byte* send_of(std::size_t index) { return sends_[index].data(); }
    std::byte* receive_of(std::size_t index) { return receives_[index].data(); }

    // After a success: what is wrong with the result, if anything. `combined`: write_combined() of
    // the whole operation, or empty if it does not combine.
    std::optional<std::string> check_result(const std::vector<std::byte>& combined) const;
    // At any time: is anything written that must not be?
    std::optional<std::string> check_bounds() const;
    // All that an operation may write. After a failure it must stay as it is.
    std::uint64_t hash() const;

  private:
    std::optional<std::string> check_transfers() const;
    std::optional<std::string> check_input() const;
    std::vector<std::byte> expected_output(const std::vector<std::byte>& combined) const;
    std::byte* output() const;

    const Operation& operation_;
    const int rank_;
    const int rank_count_;
    const std::size_t width_;
    const std::int64_t place_;  // place_offset()
    mutable Guarded input_;
    mutable Guarded output_;      // not used if the output lies in the input
    std::vector<Guarded> sends_;  // by transfer; empty of those that others make
    std::vector<Guarded> receives_;
    std::byte barrier_bytes_[2] = {};  // a barrier moves a byte that means nothing
};

}  // namespace xccl::simulator
