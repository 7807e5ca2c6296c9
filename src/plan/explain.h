// Explaining a plan: what was chosen, what it will cost, and what else there was, as JSON.
//
//     {"collective": "all_reduce", "count": 1048576, "datatype": "float32", "op": "sum",
//      "ranks": 8, "hosts": 2, "reproducible": false,
//      "algorithm": "hierarchical_all_reduce", "protocol": "slotted", "lanes": 2, "copies": 2,
//      "tiles": 8, "tile_bytes": 524288, "chunk_bytes": 65536, "chunks": 8,
//      "wire_datatype": "float32", "rounds": 12, "steps": 20,
//      "bytes_sent": {"this_rank": ..., "largest_of_a_rank": ..., "total": ..., "between_hosts":
//      ...}, "costs": "read from file", "predicted_us": 812.4,
//      "candidates": [{"algorithm": "...", "predicted_us": ..., ...},
//                     {"algorithm": "...", "refused": "why"}]}
//
// Bytes are exact: those of the messages' payloads, as the transports count them. (v-variants: as
// if every block were the largest; all_to_allv: of one full message per pair.)
#pragma once

#include <string>

#include "base/status.h"
#include "plan/candidates.h"
#include "plan/plan.h"

namespace xccl {

// What all ranks of a plan send, summed up.
struct PlanTraffic {
    std::uint64_t largest_of_a_rank = 0;
    std::uint64_t total = 0;
    std::uint64_t between_hosts = 0;
};
Result<PlanTraffic> traffic_of_plan(const Plan& plan, const Candidates& candidates);

Result<std::string> explain_plan(const Plan& plan, int rank, Candidates& candidates);

}  // namespace xccl
