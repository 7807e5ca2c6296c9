// What the parts of one engine share.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "executor/call_history.h"
#include "executor/neighbourhood.h"

namespace xccl {

// What the engine's oldest unfinished operation is waiting for.
struct Blockage {
    int peer = -1;
    bool for_credit = false;  // else for a message
    bool point_to_point = false;
    OperationDescriptor operation;
    std::uint32_t lane = 0;
    std::uint64_t tile = 0;
    std::uint32_t step = 0;
};

struct EngineContext {
    const int rank;
    const int rank_count;
    const LaneGeometry geometry;
    Neighbourhood* const neighbourhood;
    const std::uint8_t epoch;

    CallHistory history;  // of this rank's collectives
    Status failure;       // the first one; sticky
    std::map<int, Link*> links;
    bool read_in_place = false;  // a peer's buffer, maybe, since somebody asked

    void fail(const Status& status) {
        if (failure.ok()) failure = status;
    }

    Result<Link*> link(int peer) {
        if (const auto known = links.find(peer); known != links.end()) return known->second;
        XCCL_ASSIGN(Link * link, neighbourhood->link(peer));
        links.emplace(peer, link);
        return link;
    }
};

}  // namespace xccl
