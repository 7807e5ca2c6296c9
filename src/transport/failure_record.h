// The first failure of a communicator on this host, for all its ranks to see.
//
// Whoever fails first claims the record (one compare-and-swap), writes it, and publishes it; the
// others find it taken and do nothing. `state` is the abort word of every wait: zero while all is
// well.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "base/limits.h"
#include "base/status.h"
#include "transport/memory_policy.h"

namespace xccl {

struct Failure {
    int culprit_rank = -1;  // the rank that is to blame; -1: nobody in particular
    xcclResult_t code = xcclSuccess;
    std::uint64_t operation_sequence = 0;  // the collective that the first to fail was in
    std::string text;                      // cut at kMaxErrorTextBytes
};

// All zero bytes is a record of nothing.
template <class Memory>
class BasicFailureRecord {
  public:
    bool published() const { return state_.load(Memory::kFailureLoad) == kPublished; }

    // False if another failure came first.
    bool publish(const Failure& failure) {
        std::uint32_t expected = kNone;
        if (!state_.compare_exchange_strong(expected, kClaimed, std::memory_order_relaxed)) {
            return false;
        }
        culprit_rank_ = failure.culprit_rank;
        code_ = failure.code;
        operation_sequence_ = failure.operation_sequence;
        text_bytes_ = static_cast<std::uint32_t>(std::min(failure.text.size(), sizeof text_));
        std::memcpy(text_, failure.text.data(), text_bytes_);
        // Pairs with the acquire of published().
        state_.store(kPublished, Memory::kFailureStore);
        return true;
    }

    std::optional<Failure> read() const {
        if (!published()) return std::nullopt;
        const std::int32_t code = code_;
        const std::size_t bytes = std::min<std::size_t>(text_bytes_, sizeof text_);
        return Failure{.culprit_rank = culprit_rank_,
                       .code = static_cast<xcclResult_t>(code),
                       .operation_sequence = operation_sequence_,
                       .text = std::string(text_, bytes)};
    }

  private:
    static constexpr std::uint32_t kNone = 0, kClaimed = 1, kPublished = 2;

    template <typename T>
    using Plain = typename Memory::template Plain<T>;

    alignas(64) typename Memory::template Atomic<std::uint32_t> state_{kNone};
    Plain<std::int32_t> culprit_rank_{-1};
    Plain<std::int32_t> code_{0};
    Plain<std::uint32_t> text_bytes_{0};
    Plain<std::uint64_t> operation_sequence_{0};
    char text_[kMaxErrorTextBytes] = {};
};
using FailureRecord = BasicFailureRecord<HostMemory>;
static_assert(sizeof(FailureRecord) == 512);

}  // namespace xccl
