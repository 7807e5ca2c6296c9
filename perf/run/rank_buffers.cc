#include "run/rank_buffers.h"

#include <algorithm>

#include "run/library_call.h"

namespace xccl::perf {
namespace {

constexpr std::size_t kLargestElement = 8;

std::byte* allocate(std::size_t bytes) {
    void* memory = nullptr;
    require(xcclMemAlloc(&memory, bytes));
    return static_cast<std::byte*>(memory);
}

}  // namespace

std::size_t RankBuffers::extra_bytes(std::size_t unaligned_elements) {
    return kLargestElement * unaligned_elements + 2 * kGuardBytes;
}

RankBuffers::RankBuffers(std::size_t largest_bytes, std::size_t unaligned_elements)
    : largest_bytes_(largest_bytes),
      unaligned_elements_(unaligned_elements),
      memory_bytes_(largest_bytes + extra_bytes(unaligned_elements)),
      send_(allocate(memory_bytes_)),
      receive_(allocate(memory_bytes_)) {
    // Memory that was never written is one page of zeros to the system, which no cache misses.
    poison(send_, memory_bytes_);
    poison(receive_, memory_bytes_);
}

RankBuffers::~RankBuffers() {
    xcclMemFree(send_);
    xcclMemFree(receive_);
}

RankBuffers::Placement RankBuffers::place(const Task& task) const {
    const std::size_t size = task.size_bytes();
    const std::size_t places = size == 0 ? 1 : std::max<std::size_t>(largest_bytes_ / size, 1);
    const std::size_t start = kGuardBytes + task.bytes_of(unaligned_elements_);
    const std::size_t own_block =
        task.bytes_of(static_cast<std::size_t>(task.rank) * task.shape.count);
    std::byte* const send = send_ + start;
    std::byte* const receive = receive_ + start;
    if (!task.shares_buffer()) {
        const std::size_t received = task.collective->receive_count(task.shape, task.rank);
        return {send, receive, receive, task.bytes_of(received), size, places};
    }
    switch (task.collective->in_place) {
        case InPlace::kSendFromOwnBlock:
            return {receive + own_block, receive, receive, size, size, places};
        case InPlace::kReceiveToOwnBlock:
            return {receive, receive + own_block, receive, size, size, places};
        default:
            return {receive, receive, receive, size, size, places};
    }
}

void RankBuffers::fill(const Task& task) const {
    const Placement at = place(task);
    poison(at.region - kGuardBytes, at.region_bytes + 2 * kGuardBytes);
    fill_input(task.pattern, task.rank, 0, task.collective->send_count(task.shape, task.rank),
               at.send);
}

CheckResult RankBuffers::check(const Task& task) const {
    const Placement at = place(task);
    CheckResult result;
    for (const Segment& segment : task.collective->expected(task.shape, task.rank)) {
        result.add(check_segment(task.pattern, segment, at.receive));
    }
    result.add(check_poison(at.region - kGuardBytes, kGuardBytes, 0));
    result.add(check_poison(at.region + at.region_bytes, kGuardBytes,
                            at.region_bytes / task.pattern.type.bytes));
    if (!task.shares_buffer()) {  // then the input must be what it was
        Segment input;
        input.count = task.collective->send_count(task.shape, task.rank);
        input.source_rank = task.rank;
        CheckResult changed = check_segment(task.pattern, input, at.send);
        if (changed.first) changed.first->got += " in the send buffer";
        result.add(changed);
    }
    return result;
}

}  // namespace xccl::perf
