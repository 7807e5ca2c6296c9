// The last collectives of a rank, by sequence number: what a peer's are compared with.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/operation.h"

namespace xccl {

class CallHistory {
  public:
    static constexpr std::size_t kDepth = 64;  // a power of two

    // Sequence numbers are consecutive, from 1.
    void record(const OperationDescriptor& operation) {
        calls_[operation.sequence & (kDepth - 1)] = operation;
        last_ = operation.sequence;
    }
    const OperationDescriptor& newest() const { return calls_[last_ & (kDepth - 1)]; }
    std::uint64_t last() const { return last_; }
    std::uint64_t first() const { return last_ < kDepth ? 1 : last_ - kDepth + 1; }
    std::optional<OperationDescriptor> at(std::uint64_t sequence) const {
        if (sequence < first() || sequence > last_) return std::nullopt;
        return calls_[sequence & (kDepth - 1)];
    }

  private:
    std::array<OperationDescriptor, kDepth> calls_{};
    std::uint64_t last_ = 0;
};

}  // namespace xccl
