// The planner: from a request to the steps that carry it out, as a list of passes.
//
//     choose      the cheapest algorithm, protocol, piece and number of lanes     candidates.h
//     generate    this rank's part of the schedule                              algorithms/
//     compile     resolve, encode, fuse, copy into lanes                      schedule/compile.h
//     prove       all ranks' steps together, once per shape and process             proofs.h
//
// Every rank reads the same topology, limits and numbers, so all choose alike without a word.
// Plans are kept by request; steps, which do not depend on the count, by shape, so that a thousand
// sizes share them. Asking again for the last request costs one comparison.
//
// One thread at a time uses a planner (the holder of the communicator's lock).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>

#include "base/status.h"
#include "plan/candidates.h"
#include "plan/plan.h"
#include "plan/proofs.h"
#include "plan/request.h"
#include "plan/tuning/host.h"

namespace xccl {

struct PlannerOptions {
    std::string algorithm;  // a user's wish, as Overrides reads it
    int lanes = 0;          // parallel copies of each schedule; 0: the planner's choice
    HostCosts costs = tuning::kHost;
};

class Planner {
  public:
    static Result<std::unique_ptr<Planner>> make(Topology topology, int rank, PlanLimits limits,
                                                 const PlannerOptions& options = {});

    Result<std::shared_ptr<const Plan>> plan(const Request& request);

    // explain.h, of this planner's state.
    Result<std::string> explain(const Request& request);

    const Topology& topology() const { return candidates_.topology(); }

  private:
    Planner(int rank, PlanLimits limits, Candidates candidates);
    Result<std::shared_ptr<const Plan>> make_plan(const Request& request);
    Result<std::shared_ptr<const Steps>> steps_of(const Choice& choice, const Request& request);

    const int rank_;
    const PlanLimits limits_;
    Candidates candidates_;
    std::shared_ptr<const Plan> last_;
    std::unordered_map<Request, std::shared_ptr<const Plan>, RequestHash> plans_;
    // By algorithm, root, copies, and what was proved of them.
    using StepsKey = std::tuple<const Algorithm*, int, int, Rounding, bool>;
    std::map<StepsKey, std::shared_ptr<const Steps>> steps_;
};

}  // namespace xccl
