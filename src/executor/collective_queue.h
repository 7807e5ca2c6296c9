// The collectives of an engine: in the order of submission, one at a time, its lanes side by side.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/limits.h"
#include "executor/engine_context.h"
#include "executor/lane_walker.h"
#include "executor/message_signature.h"
#include "executor/ring_queue.h"

namespace xccl {

class CollectiveQueue {
  public:
    explicit CollectiveQueue(EngineContext* context);

    Result<std::shared_ptr<const PreparedLaunch>> prepare(Launch launch);
    // The sequence number of the new operation.
    std::uint64_t submit(const std::shared_ptr<const PreparedLaunch>& launch,
                         const Buffers& buffers);
    bool advance(std::uint32_t budget);

    std::uint64_t submitted() const { return submitted_; }
    std::uint64_t completed() const { return completed_; }
    bool idle() const { return operations_.empty(); }
    std::optional<Blockage> blockage() const;
    void drop_all();

  private:
    struct Operation {
        std::shared_ptr<const PreparedLaunch> launch;
        Buffers buffers;
        OperationDescriptor descriptor;
        std::uint32_t signature = 0;
    };

    [[gnu::always_inline]] void start(const Operation& operation);
    [[gnu::always_inline]] bool walk(const Operation& operation, std::uint32_t* budget);
    bool flushed(const Operation& operation, int* peer) const;
    Result<std::shared_ptr<std::byte>> scratch(std::size_t bytes);

    EngineContext& context_;
    RingQueue<Operation> operations_;
    std::array<LaneWalker, kMaxLanes> walkers_;  // of the front operation
    Workspace workspace_;
    int unfinished_lanes_ = 0;
    int next_lane_ = 0;
    bool started_ = false;
    std::uint64_t calls_hash_;
    std::uint64_t submitted_ = 0;
    std::uint64_t completed_ = 0;
    std::shared_ptr<std::byte> scratch_;  // shared by launches: one operation runs at a time
    std::size_t scratch_bytes_ = 0;
};

inline std::uint64_t CollectiveQueue::submit(const std::shared_ptr<const PreparedLaunch>& launch,
                                             const Buffers& buffers) {
    launch->expect_messages();
    Operation& operation = operations_.push();
    if (operation.launch != launch) operation.launch = launch;
    operation.buffers = buffers;
    operation.descriptor = launch->launch().descriptor;
    operation.descriptor.sequence = ++submitted_;
    calls_hash_ = chain(calls_hash_, launch->call_hash());
    operation.signature = message_signature(context_.epoch, calls_hash_);
    context_.history.record(operation.descriptor);
    return submitted_;
}

}  // namespace xccl
