// Goal: what is explained is what was chosen, and its bytes are exact. Method: the JSON against the
// plan; and the bytes against a walk over every tile, step and message with the executor's pieces.
#include "plan/explain.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "executor/launch.h"
#include "plan/tuning/host.h"
#include "worlds.h"

namespace xccl {
namespace {

nlohmann::json explained(Planner& planner, const Request& request) {
    const auto text = planner.explain(request);
    EXPECT_TRUE(text.ok()) << text.status().text();
    return nlohmann::json::parse(text.value());
}

// Message by message, as the executor would send them.
PlanTraffic walked(const Topology& topology, const Request& request) {
    PlanTraffic traffic;
    for (int rank = 0; rank < topology.rank_count; ++rank) {
        const auto plan = plan_of(*planner_for(topology, rank), request);
        ChunkLayout layout;
        const bool tile = plan->shape.work == BufferShape::kTile;
        layout.kind = tile ? ChunkLayout::Kind::kTile : ChunkLayout::Kind::kBlocks;
        layout.count = request.count;
        const Steps& steps = *plan->steps;
        const auto pieces = [&](std::uint32_t chunk, std::uint64_t tile_index) {
            return piece_of(layout, steps.chunk_count, plan->piece_elements(),
                            chunk % steps.chunk_count, tile_index)
                .count;
        };
        std::uint64_t sent = 0;
        const auto tiles = tile_count_of(layout, steps.chunk_count, plan->piece_elements());
        for (std::uint32_t l = 0; l < steps.lanes.size(); ++l) {
            for (std::uint64_t t = steps.copy_of(l); t < tiles; t += steps.copy_count()) {
                for (const Step& step : steps.lanes[l].steps) {
                    for (const Operand& to : steps.lanes[l].destinations(step)) {
                        if (to.space != Space::kSlot) continue;
                        std::uint64_t bytes = 0;
                        for (std::uint32_t i = 0; i < step.span; ++i) {
                            bytes += pieces(to.chunk + i, t) * plan->choice.wire_bytes;
                        }
                        sent += bytes;
                        if (topology.link(rank, steps.peers[to.peer_index]) == LinkClass::kTcp) {
                            traffic.between_hosts += bytes;
                        }
                    }
                }
            }
        }
        traffic.total += sent;
        traffic.largest_of_a_rank = std::max(traffic.largest_of_a_rank, sent);
    }
    return traffic;
}

TEST(Explain, BytesAreExact) {
    for (int n : {2, 3, 5, 8}) {
        for (const Topology& topology : worlds_of(n)) {
            for (xcclColl_t coll : scheduled_collectives()) {
                if (collective_shape(coll).is_vector() || coll == xcclCollBarrier) continue;
                for (std::uint64_t count : {0ul, 1ul, 61ul, 100003ul}) {
                    Request request{coll, count, xcclBfloat16, xcclSum, 0, count == 61};
                    const auto bytes = explained(*planner_for(topology), request)["bytes_sent"];
                    const PlanTraffic expected = walked(topology, request);
                    EXPECT_EQ(bytes["total"], expected.total) << coll << " " << count;
                    EXPECT_EQ(bytes["between_hosts"], expected.between_hosts);
                    EXPECT_EQ(bytes["largest_of_a_rank"], expected.largest_of_a_rank);
                }
            }
        }
    }
}

TEST(Explain, TellsThePlan) {
    const auto planner = planner_for(nodes_of({8}, 64));
    const Request request = all_reduce_of(1 << 20);
    const auto plan = plan_of(*planner, request);
    const auto report = explained(*planner, request);
    EXPECT_EQ(report["collective"], "all_reduce");
    EXPECT_EQ(report["op"], "sum");
    EXPECT_EQ(report["algorithm"], plan->name());
    EXPECT_EQ(report["protocol"], protocol_name(plan->choice.protocol));
    EXPECT_EQ(report["lanes"], plan->steps->lanes.size());
    EXPECT_EQ(report["rounds"], plan->choice.rounds);
    EXPECT_EQ(report["chunk_bytes"], plan->piece_elements() * 4);
    EXPECT_EQ(report["predicted_us"], plan->choice.predicted_us);
    EXPECT_EQ(report["ranks"], 8);
    EXPECT_EQ(report["hosts"], 1);
}

TEST(Explain, ListsEveryCandidateWithAPriceOrAReason) {
    const auto planner = planner_for(nodes_of({5}, 64));
    Request request = all_reduce_of(1 << 20);
    request.reproducible = true;
    int priced = 0, refused = 0;
    const auto report = explained(*planner, request);
    for (const auto& candidate : report["candidates"]) {
        EXPECT_TRUE(candidate.contains("algorithm"));
        const bool has_price = candidate.contains("predicted_us");
        EXPECT_NE(has_price, candidate.contains("refused"));
        ++(has_price ? priced : refused);
    }
    EXPECT_GE(priced, 3);
    EXPECT_GE(refused, 1);
}

TEST(Explain, WideWireIsTold) {
    const auto planner = planner_for(nodes_of({4}, 4));
    Request request = all_reduce_of(1000, xcclFloat16);
    EXPECT_EQ(explained(*planner, request)["wire_datatype"], "float16");
    request.reproducible = true;
    EXPECT_EQ(explained(*planner, request)["wire_datatype"], "float32");
}

TEST(Explain, CreatedOperatorsHaveAName) {
    const auto planner = planner_for(nodes_of({2}, 2));
    Request request = all_reduce_of(10);
    request.op = static_cast<xcclRedOp_t>(xcclNumOps + 3);
    EXPECT_TRUE(explained(*planner, request)["op"].is_string());
}

}  // namespace
}  // namespace xccl
