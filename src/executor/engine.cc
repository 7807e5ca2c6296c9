#include "executor/engine.h"

#include "base/assert.h"
#include "executor/mismatch.h"
#include "transport/geometry.h"

namespace xccl {

Engine::Engine(int rank, int rank_count, LaneGeometry geometry, Neighbourhood* neighbourhood,
               std::uint8_t epoch)
    : context_{.rank = rank,
               .rank_count = rank_count,
               .geometry = geometry,
               .neighbourhood = neighbourhood,
               .epoch = epoch,
               .history = {},
               .failure = {},
               .links = {},
               .read_in_place = false},
      collectives_(&context_),
      point_to_point_(&context_) {
    XCCL_ASSERT(payload_bytes(geometry, geometry.point_to_point_lane()) > sizeof(TransferHeader));
}

Result<std::shared_ptr<const PreparedLaunch>> Engine::prepare(Launch launch) {
    return collectives_.prepare(std::move(launch));
}

Result<Ticket> Engine::submit_send(int peer, const std::byte* data, std::uint64_t bytes,
                                   const OperationDescriptor& descriptor) {
    return submit_transfer(peer, true, {const_cast<std::byte*>(data), bytes, descriptor});
}

Result<Ticket> Engine::submit_recv(int peer, std::byte* data, std::uint64_t bytes,
                                   const OperationDescriptor& descriptor) {
    return submit_transfer(peer, false, {data, bytes, descriptor});
}

Result<Ticket> Engine::submit_transfer(int peer, bool is_send,
                                       const PointToPoint::Transfer& transfer) {
    if (!context_.failure.ok()) return context_.failure;
    XCCL_ASSIGN(const std::uint64_t place, point_to_point_.submit(peer, is_send, transfer));
    return transfer_ticket(place, peer, is_send);
}

// After the collectives, which may have failed.
bool Engine::advance_rest(bool moved, std::uint32_t budget) {
    if (!failed()) moved |= point_to_point_.advance(budget);
    if (!failed()) return moved;
    drop_all();
    return false;
}

void Engine::drop_all() {
    collectives_.drop_all();
    point_to_point_.drop_all();
}

void Engine::fail(const Status& failure) {
    XCCL_ASSERT(!failure.ok());
    context_.fail(failure);
    if (failed()) drop_all();
}

std::optional<Blockage> Engine::blockage() const {
    if (auto blockage = collectives_.blockage()) return blockage;
    return point_to_point_.blockage();
}

void Engine::check_mismatch() {
    for (const auto& [peer, link] : context_.links) {
        if (!context_.failure.ok()) return;
        if (auto mismatch = find_mismatch(context_, peer)) fail(*mismatch);
    }
    if (!context_.failure.ok() || point_to_point_.idle()) return;
    point_to_point_.check_abandoned();
    if (failed()) drop_all();
}

void Engine::check_unreceived() {
    if (auto unreceived = point_to_point_.unreceived()) fail(*unreceived);
}

}  // namespace xccl
