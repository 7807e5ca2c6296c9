// Making a communicator, from strangers to engine.
//
//   meet       through a rendezvous, the caller's all-gather, a parent communicator, or a table in
//              this process: anything that is an Exchange
//   tell       every rank says where it is and how it can be reached        (all-gather 1)
//   build      topology, geometry; the lowest rank of each host makes the segment
//   star       between hosts: where rank 0 hears of failures                (all-gather 2)
//   hand over  where the segment is fetched                                 (all-gather 3)
//   attach     the others map it
//   vote       every rank says whether it succeeded: all have it, or none   (all-gather 4)
//
// No rank leaves between the all-gathers: a failure is carried to the vote, so that everybody ends
// with the same text. Only who is waited for elsewhere leaves at once, if the exchange can tell
// why. Runs on the caller's thread, or on its own for non-blocking communicators; `cancelled` ends
// it early.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/status.h"
#include "bootstrap/bootstrap.h"
#include "comm/communicator.h"
#include "xccl.h"

namespace xccl {

// How many all-gathers initialise() takes at most, whether it succeeds or fails.
constexpr int kMaxGathersOfInitialise = 4;

// Checks that every rank says the same of what must be alike, and so on: see the steps above.
Result<std::shared_ptr<Communicator>> initialise(Exchange& exchange, CommunicatorOptions options,
                                                 const std::atomic<bool>* cancelled);

// Rendezvous through unique ids, then initialise().
Result<std::shared_ptr<Communicator>> initialise_by_ids(const std::vector<xcclUniqueId>& ids,
                                                        int rank, int rank_count,
                                                        CommunicatorOptions options,
                                                        const std::atomic<bool>* cancelled);

// What a split gives this rank: nothing, one rank alone, or a communicator.
struct SplitResult {
    int rank = -1;  // -1: no color
    int rank_count = 0;
    std::shared_ptr<Communicator> communicator;  // null if rank_count < 2
};
Result<SplitResult> split(Communicator& parent, int color, int key, CommunicatorOptions options,
                          const std::atomic<bool>* cancelled);

}  // namespace xccl
