#include "plan/explain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/datatypes.h"
#include "plan/proofs.h"
#include "schedule/verify_symmetric.h"

namespace xccl {
namespace {

using Json = nlohmann::ordered_json;

Json form_json(const Choice& choice) {
    const std::uint64_t piece_bytes = choice.tiles.piece_elements * choice.wire_bytes;
    return {{"algorithm", choice.algorithm->name},
            {"protocol", protocol_name(choice.protocol)},
            {"copies", choice.copies},
            {"rounds", choice.rounds},
            {"tiles", choice.tiles.tile_count()},
            {"tile_bytes", piece_bytes * choice.tiles.chunk_count},
            {"chunk_bytes", piece_bytes},
            {"chunks", choice.tiles.chunk_count},
            {"predicted_us", choice.predicted_us}};
}

Json candidate_json(const Candidate& candidate) {
    if (!candidate.refusal.empty()) {
        return {{"algorithm", candidate.algorithm->name}, {"refused", candidate.refusal}};
    }
    Json form = form_json(candidate.choice);
    if (candidate.slow_to_prove) form["slow_to_prove"] = true;
    return form;
}

void add_request(const Request& request, const Topology& topology, Json* report) {
    (*report)["collective"] = coll_name(request.coll);
    (*report)["count"] = request.count;
    (*report)["datatype"] = datatype_name(request.type);
    const CollectiveShape shape = collective_shape(request.coll);
    if (shape.combines) (*report)["op"] = reduce_op_name(request.op);
    if (shape.rooted) (*report)["root"] = request.root;
    (*report)["reproducible"] = request.reproducible;
    (*report)["ranks"] = topology.rank_count;
    (*report)["hosts"] = topology.node_count();
}

}  // namespace

Result<PlanTraffic> traffic_of_plan(const Plan& plan, const Candidates& candidates) {
    PlanTraffic traffic;
    // Copies share out the tiles and send no more: one is enough to count.
    const ProgramShape program = {plan.choice.algorithm, candidates.shape_of(0, plan.request.root),
                                  1};
    // An operation on nothing is planned like one on one element, but sends nothing.
    TileShape tiles = plan.choice.tiles;
    if (plan.request.count == 0 && plan.shape.work != BufferShape::kUnused) tiles.count = 0;
    if (plan.request.coll == xcclCollBarrier) tiles.count = 1;
    const bool rotates = program.algorithm->symmetry == Symmetry::kRotation;
    XCCL_ASSIGN(const Steps first, compile_program(program, 0));
    for (int rank = 0; rank < candidates.topology().rank_count; ++rank) {
        Steps steps;
        if (rotates) {
            steps = rotation_of(first, rank, program.algorithm->contract);
        } else {
            XCCL_ASSIGN(steps, compile_program(program, rank));
        }
        const Traffic sent =
            traffic_of(steps, candidates.topology(), tiles, plan.choice.wire_bytes);
        traffic.largest_of_a_rank = std::max(traffic.largest_of_a_rank, sent.sent_bytes);
        traffic.total += sent.sent_bytes;
        traffic.between_hosts += sent.sent_between_hosts_bytes;
    }
    return traffic;
}

Result<std::string> explain_plan(const Plan& plan, int rank, Candidates& candidates) {
    XCCL_ASSIGN(const PlanTraffic traffic, traffic_of_plan(plan, candidates));
    Json report;
    add_request(plan.request, candidates.topology(), &report);
    report.update(form_json(plan.choice));
    report["lanes"] = plan.steps->lanes.size();
    report["first_lane"] = plan.first_lane;
    const xcclDataType_t wire =
        plan.wide_wire ? accumulate_type(plan.request.type) : plan.request.type;
    report["wire_datatype"] = datatype_name(wire);
    report["rank"] = rank;
    report["steps"] = plan.steps->lanes.front().steps.size() * plan.steps->strand_count;
    report["bytes_sent"] = {{"largest_of_a_rank", traffic.largest_of_a_rank},
                            {"total", traffic.total},
                            {"between_hosts", traffic.between_hosts}};
    report["costs"] = candidates.costs().origin;
    report["candidates"] = Json::array();
    for (const Candidate& candidate : candidates.consider(plan.request)) {
        report["candidates"].push_back(candidate_json(candidate));
    }
    return report.dump(2);
}

}  // namespace xccl
