// The engine is two queues that take turns: collectives, and point to point.
//
// A ticket says which queue an operation is in and how many were before it there:
// [place 46][queue 18], where queue 0 holds the collectives and 1 + 2 * peer (+ 1) the sends to
// (receives from) a peer. So done() is one comparison.
#include "executor/engine.h"

#include "base/assert.h"
#include "base/limits.h"
#include "executor/collective_queue.h"
#include "executor/engine_context.h"
#include "executor/mismatch.h"
#include "executor/mutant.h"
#include "executor/point_to_point.h"

namespace xccl {
namespace {

constexpr int kQueueBits = 18;
static_assert(1 + 2 * kMaxRanks <= 1 << kQueueBits);

Ticket collective_ticket(std::uint64_t place) {
    return place << kQueueBits;
}

Ticket transfer_ticket(std::uint64_t place, int peer, bool is_send) {
    const std::uint64_t queue = 1 + 2 * static_cast<std::uint64_t>(peer) + (is_send ? 0 : 1);
    return place << kQueueBits | queue;
}

}  // namespace

struct Engine::State {
    explicit State(EngineContext c)
        : context(std::move(c)), collectives(&context), point_to_point(&context) {}

    EngineContext context;
    CollectiveQueue collectives;
    PointToPoint point_to_point;

    bool failed() const { return !context.failure.ok() && !mutated(Mutant::kSkippedAbort); }

    void drop_all() {
        collectives.drop_all();
        point_to_point.drop_all();
    }

    Result<Ticket> submit_transfer(int peer, bool is_send, const PointToPoint::Transfer& transfer) {
        if (!context.failure.ok()) return context.failure;
        XCCL_ASSIGN(const std::uint64_t place, point_to_point.submit(peer, is_send, transfer));
        return transfer_ticket(place, peer, is_send);
    }
};

Engine::Engine(int rank, int rank_count, LaneGeometry geometry, Neighbourhood* neighbourhood,
               std::uint8_t epoch)
    : state_(std::make_unique<State>(EngineContext{.rank = rank,
                                                   .rank_count = rank_count,
                                                   .geometry = geometry,
                                                   .neighbourhood = neighbourhood,
                                                   .epoch = epoch,
                                                   .history = {},
                                                   .failure = {},
                                                   .links = {}})) {
    XCCL_ASSERT(geometry.slotted_slot_bytes > sizeof(SlotHeader) + sizeof(TransferHeader));
}

Engine::~Engine() = default;

Result<std::shared_ptr<const PreparedLaunch>> Engine::prepare(Launch launch) {
    return state_->collectives.prepare(std::move(launch));
}

Ticket Engine::submit(const std::shared_ptr<const PreparedLaunch>& launch, const Buffers& buffers) {
    const Ticket ticket = collective_ticket(state_->collectives.submit(launch, buffers));
    if (state_->failed()) state_->drop_all();
    return ticket;
}

Result<Ticket> Engine::submit_send(int peer, const std::byte* data, std::uint64_t bytes,
                                   const OperationDescriptor& descriptor) {
    return state_->submit_transfer(peer, true, {const_cast<std::byte*>(data), bytes, descriptor});
}

Result<Ticket> Engine::submit_recv(int peer, std::byte* data, std::uint64_t bytes,
                                   const OperationDescriptor& descriptor) {
    return state_->submit_transfer(peer, false, {data, bytes, descriptor});
}

bool Engine::advance(std::uint32_t budget) {
    State& state = *state_;
    if (state.failed()) return false;
    bool moved = state.collectives.advance(budget);
    if (!state.point_to_point.idle() && !state.failed()) {
        moved |= state.point_to_point.advance(budget);
    }
    if (!state.failed()) return moved;
    state.drop_all();
    return false;
}

bool Engine::done(Ticket ticket) const {
    const State& state = *state_;
    if (state.failed()) return true;
    const std::uint64_t place = ticket >> kQueueBits;
    const std::uint64_t queue = ticket & ((1u << kQueueBits) - 1);
    if (queue == 0) return state.collectives.completed() >= place;
    return state.point_to_point.completed(static_cast<int>(queue - 1) / 2, (queue - 1) % 2 == 0) >=
           place;
}

bool Engine::idle() const {
    if (state_->failed()) return true;
    return state_->collectives.idle() && state_->point_to_point.idle();
}

const Status& Engine::status() const {
    return state_->context.failure;
}

void Engine::fail(const Status& failure) {
    XCCL_ASSERT(!failure.ok());
    state_->context.fail(failure);
    if (state_->failed()) state_->drop_all();
}

std::optional<Blockage> Engine::blockage() const {
    if (auto blockage = state_->collectives.blockage()) return blockage;
    return state_->point_to_point.blockage();
}

void Engine::check_mismatch() {
    EngineContext& context = state_->context;
    for (const auto& [peer, link] : context.links) {
        if (!context.failure.ok()) return;
        if (auto mismatch = find_mismatch(context, peer)) fail(*mismatch);
    }
    if (!context.failure.ok() || state_->point_to_point.idle()) return;
    state_->point_to_point.check_abandoned();
    if (state_->failed()) state_->drop_all();
}

void Engine::check_unreceived() {
    if (auto unreceived = state_->point_to_point.unreceived()) fail(*unreceived);
}

std::optional<OperationDescriptor> Engine::last_collective() const {
    return state_->context.history.at(collectives_submitted());
}

std::uint64_t Engine::collectives_submitted() const {
    return state_->collectives.submitted();
}

}  // namespace xccl
