// What is to be planned: everything about a call that decides how it runs, and nothing else. Equal
// on all ranks, or the ranks would not choose alike.
#pragma once

#include <cstddef>
#include <cstdint>

#include "xccl.h"

namespace xccl {

struct Request {
    xcclColl_t coll = xcclCollAllReduce;
    // Elements, as in the API: of the buffer, or of one rank's block; of the largest block for
    // all_gatherv and reduce_scatterv. all_to_allv: 0, since no rank knows the others' counts.
    // barrier: 0.
    std::uint64_t count = 0;
    xcclDataType_t type = xcclUint8;
    xcclRedOp_t op = xcclSum;  // of what combines; a created operator counts as xcclSum
    int root = 0;              // of what has a root; else 0
    bool reproducible = false;
    bool operator==(const Request&) const = default;
};

struct RequestHash {
    std::size_t operator()(const Request& r) const {
        const std::uint64_t small = static_cast<std::uint64_t>(r.root) << 24 |
                                    static_cast<std::uint64_t>(r.coll) << 16 |
                                    static_cast<std::uint64_t>(r.type) << 8 |
                                    static_cast<std::uint64_t>(r.op) << 1 | r.reproducible;
        std::uint64_t hash = (r.count ^ small << 20) * 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio
        hash = (hash ^ hash >> 32 ^ small) * 0x9e3779b97f4a7c15u;
        return static_cast<std::size_t>(hash ^ hash >> 29);
    }
};

}  // namespace xccl
