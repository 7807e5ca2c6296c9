#include "transport/shared_memory.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace xccl {
namespace {

int index_of(const std::vector<int>& ranks, int rank) {
    const auto found = std::find(ranks.begin(), ranks.end(), rank);
    return found == ranks.end() ? -1 : static_cast<int>(found - ranks.begin());
}

}  // namespace

SharedMemoryTransport::SharedMemoryTransport(std::shared_ptr<Segment> segment, int rank,
                                             std::vector<int> local_ranks)
    : segment_(std::move(segment)),
      local_ranks_(std::move(local_ranks)),
      my_index_(index_of(local_ranks_, rank)) {
    XCCL_ASSERT(my_index_ >= 0);
    XCCL_ASSERT(static_cast<int>(local_ranks_.size()) == segment_->layout().local_ranks());
    outbox_ = Outbox(segment_->outbox(my_index_));
}

int SharedMemoryTransport::local_index(int rank) const {
    return index_of(local_ranks_, rank);
}

Result<std::unique_ptr<Link>> SharedMemoryTransport::connect(int peer) {
    const int index = local_index(peer);
    if (index < 0 || index == my_index_) {
        return internal_error("rank {} shares no memory with this one", peer);
    }
    XCCL_TRY(segment_->reserve_pair(my_index_, index));
    XCCL_TRY(segment_->reserve_outbox(my_index_));
    auto link = std::make_unique<Link>();
    link->peer = peer;
    link->doorbell = &segment_->doorbell(index);
    link->heap = std::make_unique<PeerHeap>(segment_->heap_places(my_index_, index));
    link->outbox = segment_->outbox(my_index_).slots != nullptr ? &outbox_ : nullptr;
    link->peer_outbox = segment_->outbox(index);
    const int lanes = segment_->layout().geometry().lane_count();
    for (int lane = 0; lane < lanes; ++lane) {
        link->senders.emplace_back(segment_->mailbox(index, my_index_, lane));
        link->receivers.emplace_back(segment_->mailbox(my_index_, index, lane));
    }
    // Small messages lie in the line of their header, and have no trays.
    for (int lane = segment_->layout().geometry().flagged_lanes; lane < lanes; ++lane) {
        link->senders[lane].share_trays(&link->receivers[lane], my_index_ < index);
    }
    return link;
}

}  // namespace xccl
