#include "executor/collective_queue.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "executor/message_signature.h"
#include "executor/mismatch.h"

namespace xccl {
namespace {

constexpr std::uint32_t kStepsPerTurn = 8;  // of one lane, before the next one has its turn

// What a call is, but for its place in the order of calls.
std::uint64_t hash_of(OperationDescriptor call) {
    call.sequence = 0;
    return signature_of(call);
}

}  // namespace

CollectiveQueue::CollectiveQueue(EngineContext* context)
    : context_(*context), calls_hash_(chain(0, context->epoch)) {}

Result<std::shared_ptr<const PreparedLaunch>> CollectiveQueue::prepare(Launch launch) {
    if (launch.steps->rank_count != context_.rank_count || launch.steps->rank != context_.rank) {
        return internal_error("launch: steps of rank {} of {} given to rank {} of {}",
                              launch.steps->rank, launch.steps->rank_count, context_.rank,
                              context_.rank_count);
    }
    std::vector<Link*> links;
    for (const std::uint16_t peer : launch.steps->peers) {
        XCCL_ASSIGN(Link * link, context_.link(peer));
        links.push_back(link);
    }
    const std::uint64_t call_hash = hash_of(launch.descriptor);
    auto prepared = std::make_shared<PreparedLaunch>(std::move(launch), call_hash);
    XCCL_TRY(prepared->bind(context_.geometry, std::move(links)));
    if (const std::size_t bytes = prepared->scratch_bytes()) {
        XCCL_ASSIGN(std::shared_ptr<std::byte> memory, scratch(bytes));
        prepared->use_scratch(std::move(memory));
    }
    workspace_.reserve(prepared->operand_limit());
    for (std::size_t lane = 0; lane < prepared->lanes().size(); ++lane) {
        walkers_[lane].reserve(prepared->lanes()[lane].ends.size());
    }
    return std::shared_ptr<const PreparedLaunch>(std::move(prepared));
}

// Grows by doubling; launches that were prepared before keep the smaller memory alive.
Result<std::shared_ptr<std::byte>> CollectiveQueue::scratch(std::size_t bytes) {
    if (bytes <= scratch_bytes_) return scratch_;
    const std::size_t wanted = (std::max(bytes, 2 * scratch_bytes_) + kScratchAlignment - 1) /
                               kScratchAlignment * kScratchAlignment;
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(kScratchAlignment, wanted));
    if (memory == nullptr) {
        return system_error("no memory for {} bytes of scratch; free some, or use smaller counts",
                            wanted);
    }
    scratch_ = std::shared_ptr<std::byte>(memory, std::free);
    scratch_bytes_ = wanted;
    return scratch_;
}

inline void CollectiveQueue::start(const Operation& operation) {
    const PreparedLaunch& launch = *operation.launch;
    unfinished_lanes_ = 0;
    next_lane_ = 0;
    for (int lane = 0; lane < launch.lane_count(); ++lane) {
        walkers_[lane].start(&launch, lane, operation.buffers, operation.signature);
        if (!walkers_[lane].finished()) ++unfinished_lanes_;
    }
    started_ = true;
    context_.neighbourhood->publish(operation.descriptor);
}

// Gives the lanes turns until none can go on, or the budget is spent; the next call begins with the
// lane whose turn it would have been.
inline bool CollectiveQueue::walk(const Operation& operation, std::uint32_t* budget) {
    const int lane_count = operation.launch->lane_count();
    const std::uint32_t given = *budget;
    int stuck_in_a_row = 0;
    while (unfinished_lanes_ > 0 && stuck_in_a_row<lane_count&& * budget> 0) {
        LaneWalker& walker = walkers_[next_lane_];
        next_lane_ = next_lane_ + 1 == lane_count ? 0 : next_lane_ + 1;
        ++stuck_in_a_row;
        if (walker.finished()) continue;
        const std::uint32_t turn = std::min(*budget, kStepsPerTurn);
        std::uint32_t left = turn;
        const LaneWalker::Outcome outcome = walker.advance(workspace_, &left);
        *budget -= turn - left;
        if (left < turn) stuck_in_a_row = 0;
        if (outcome == LaneWalker::Outcome::kFinished) --unfinished_lanes_;
        if (outcome == LaneWalker::Outcome::kBadMessage) {
            context_.fail(
                explain_bad_message(context_, operation.descriptor, walker.bad_message()));
            return false;
        }
    }
    return *budget < given;
}

bool CollectiveQueue::advance(std::uint32_t budget) {
    bool moved = false;
    while (!operations_.empty()) {
        const Operation& operation = operations_.front();
        if (!started_) start(operation);
        moved |= walk(operation, &budget);
        int peer = -1;
        if (unfinished_lanes_ > 0 || !flushed(operation, &peer)) return moved;
        context_.read_in_place |= operation.launch->may_refer();
        operations_.pop();
        started_ = false;
        ++completed_;
        moved = true;
    }
    return moved;
}

// Has everything that the operation sent left this process? If not, *peer is one it waits for.
bool CollectiveQueue::flushed(const Operation& operation, int* peer) const {
    if (!operation.launch->carried()) return true;
    for (const Link* link : operation.launch->links()) {
        for (const BoundLane& lane : operation.launch->lanes()) {
            if (link->carrier == nullptr || link->carrier->flushed(link->peer, lane.link_lane)) {
                continue;
            }
            *peer = link->peer;
            return false;
        }
    }
    return true;
}

std::optional<Blockage> CollectiveQueue::blockage() const {
    if (operations_.empty()) return std::nullopt;
    const Operation& operation = operations_.front();
    Blockage blockage;
    blockage.operation = operation.descriptor;
    if (!started_) return blockage;
    for (std::size_t lane = 0; lane < operation.launch->lanes().size(); ++lane) {
        const LaneWalker& walker = walkers_[lane];
        if (walker.finished()) continue;
        const LaneWalker::Wait wait = walker.wait();
        blockage.peer = wait.peer;
        blockage.for_credit = wait.for_credit;
        blockage.lane = static_cast<std::uint32_t>(walker.link_lane());
        blockage.tile = walker.tile();
        blockage.step = walker.step_index();
        return blockage;
    }
    blockage.for_credit = true;
    flushed(operation, &blockage.peer);
    return blockage;
}

void CollectiveQueue::drop_all() {
    operations_.clear();
    started_ = false;
}

}  // namespace xccl
