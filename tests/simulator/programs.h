// Real plans for the simulated ranks: what the planner chooses for an operation, compiled for each
// rank, and bound to the operation's buffers as the communicator does it.
//
// One planner serves all ranks, since all would choose alike.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "executor/launch.h"
#include "plan/planner.h"
#include "simulator/operation.h"
#include "transport/link.h"

namespace xccl::simulator {

class Programs {
  public:
    // `algorithms`, `lanes`: a user's wishes.
    Programs(Topology topology, const LaneGeometry& geometry, const std::string& algorithms,
             int lanes);

    Result<Launch> launch(const Operation& operation, int rank);

  private:
    using Key = std::tuple<const Algorithm*, int, int>;  // root, copies
    Result<std::shared_ptr<const Steps>> steps_of(const Plan& plan, int rank);

    const Topology topology_;
    std::unique_ptr<Planner> planner_;
    Status failure_;  // of the planner's making
    std::map<Key, std::vector<std::shared_ptr<const Steps>>> steps_;
};

}  // namespace xccl::simulator
