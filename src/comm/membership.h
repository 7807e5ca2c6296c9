// Who belongs to a communicator and where they are: agreed once, when it is made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "machine/machine_costs.h"
#include "topology/rank_info.h"
#include "topology/topology.h"
#include "trust/secret.h"

namespace xccl {

// What a rank tells of itself when it joins.
struct Member {
    RankInfo place;
    std::string host_name;                   // for people
    std::int64_t pid = 0;                    // for people
    std::int32_t origin_rank = -1;           // before any split; -1: this is no split
    std::vector<std::string> tcp_addresses;  // where its listener is to be found, best first
    // What must be alike on all ranks, and what rank 0 decides for all.
    bool reproducible = false;
    std::int64_t lanes = 0;
    std::int64_t slot_bytes = 0;
    bool tcp_only = false;
    std::string algorithm;
    // What it knows of its machine's costs; of all that is told, one is taken.
    CostOrigin cost_origin = CostOrigin::kOff;
    MeasuredCosts costs = built_in_costs();
    bool operator==(const Member&) const = default;
};

std::string encode_member(const Member& member);
Result<Member> decode_member(const std::string& bytes);

struct Membership {
    int rank = 0;
    Secret secret{};              // shared by the ranks, and known to nobody else
    std::vector<Member> members;  // by rank
    Topology topology;

    // The rank whose costs all ranks plan with: the lowest that knows its machine's own; -1: none,
    // or rank 0 does not want any.
    int rank_of_costs() const;
    // The same out of those on the machine of `rank`, whose caches they are.
    int rank_of_caches(int rank) const;
    int rank_count() const { return static_cast<int>(members.size()); }
    // "rank 3 on node7 (pid 4242)"; after a split "rank 1 (rank 3 before the split) on node7 ..."
    std::string name_of(int peer) const;
};

}  // namespace xccl
