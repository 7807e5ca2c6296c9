// What the parts of one engine share.
#pragma once

#include <cstdint>
#include <map>

#include "executor/call_history.h"
#include "executor/engine.h"

namespace xccl {

struct EngineContext {
    const int rank;
    const int rank_count;
    const LaneGeometry geometry;
    Neighbourhood* const neighbourhood;
    const std::uint8_t epoch;

    CallHistory history;  // of this rank's collectives
    Status failure;       // the first one; sticky
    std::map<int, Link*> links;

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
