#include "plan/planner.h"

#include "base/assert.h"
#include "base/datatypes.h"
#include "plan/explain.h"

namespace xccl {
namespace {

// Plans are small; an application that makes new sizes for ever must not fill the memory with them.
constexpr std::size_t kMaxKeptPlans = 4096;

// Types that accumulate in themselves are rounded by every combination; where is no question then.
ProofGoal goal_of(const Request& request) {
    const bool narrow = accumulate_type(request.type) != request.type;
    ProofGoal goal;
    goal.canonical = needs_canonical_order(request);
    if (narrow) goal.rounding = goal.canonical ? Rounding::kAtOutput : Rounding::kEverywhere;
    return goal;
}

}  // namespace

Result<std::unique_ptr<Planner>> Planner::make(Topology topology, int rank, PlanLimits limits,
                                               const PlannerOptions& options) {
    XCCL_ASSERT(rank >= 0 && rank < topology.rank_count);
    XCCL_ASSIGN(Overrides overrides, Overrides::parse(options.algorithm, algorithm_names()));
    Candidates candidates(std::move(topology), limits, options.costs, std::move(overrides),
                          options.lanes);
    return std::unique_ptr<Planner>(new Planner(rank, limits, std::move(candidates)));
}

Planner::Planner(int rank, PlanLimits limits, Candidates candidates)
    : rank_(rank), limits_(limits), candidates_(std::move(candidates)) {}

Result<std::shared_ptr<const Plan>> Planner::plan(const Request& request) {
    if (last_ != nullptr && last_->request == request) return last_;
    const auto kept = plans_.find(request);
    if (kept != plans_.end()) return last_ = kept->second;
    XCCL_ASSIGN(last_, make_plan(request));
    if (plans_.size() >= kMaxKeptPlans) plans_.clear();
    plans_.emplace(request, last_);
    return last_;
}

Result<std::shared_ptr<const Plan>> Planner::make_plan(const Request& request) {
    Plan plan;
    plan.request = request;
    plan.shape = collective_shape(request.coll);
    XCCL_ASSIGN(plan.choice, candidates_.choose(request));
    XCCL_ASSIGN(plan.steps, steps_of(plan.choice, request));
    plan.first_lane = plan.choice.protocol == Protocol::kFlagged ? 0 : limits_.flagged_lanes;
    plan.wide_wire = needs_wide_wire(request);
    return std::make_shared<const Plan>(std::move(plan));
}

Result<std::shared_ptr<const Steps>> Planner::steps_of(const Choice& choice,
                                                       const Request& request) {
    const ProofGoal goal = goal_of(request);
    const auto key = std::make_tuple(choice.algorithm, request.root, choice.copies, goal.rounding,
                                     goal.canonical);
    const auto known = steps_.find(key);
    if (known != steps_.end()) return known->second;

    const ProgramShape program = {choice.algorithm, candidates_.shape_of(rank_, request.root),
                                  choice.copies};
    XCCL_ASSIGN(Steps steps, compile_program(program, rank_));
    Sharing sharing;
    XCCL_TRY(prove_program(program, goal, &sharing));
    steps.read_in_place = sharing.read_in_place;
    steps.lands = sharing.lands;
    steps.divides = sharing.divides;
    auto shared = std::make_shared<const Steps>(std::move(steps));
    steps_.emplace(key, shared);
    return shared;
}

Result<std::string> Planner::explain(const Request& request) {
    XCCL_ASSIGN(const std::shared_ptr<const Plan> chosen, plan(request));
    return explain_plan(*chosen, rank_, candidates_);
}

}  // namespace xccl
