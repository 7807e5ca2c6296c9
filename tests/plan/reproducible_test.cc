// Goal: in reproducible mode the bits of a reduction are those of the canonical tree over global
// ranks, evaluated one term after the other: whatever the communication pattern, and wherever the
// ranks live. Without it, they are not.
// Method: planners choose (or are told the algorithm), engines of 2 to 16 ranks run the steps over
// small mailboxes on random data of every floating type, and a recursion of five lines is right.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/datatypes.h"
#include "executor/rig.h"
#include "tests/device/reference_reduction.h"
#include "transport/geometry.h"
#include "worlds.h"

namespace xccl {
namespace {

PlanLimits limits_of(const LaneGeometry& geometry) {
    PlanLimits limits;
    limits.flagged_payload_bytes = payload_bytes(geometry, 0);
    limits.slotted_payload_bytes = payload_bytes(geometry, geometry.flagged_lanes);
    limits.flagged_slot_count = geometry.flagged_slot_count;
    limits.slotted_slot_count = geometry.slotted_slot_count;
    limits.flagged_lanes = geometry.flagged_lanes;
    limits.slotted_lanes = geometry.slotted_lanes;
    return limits;
}

ChunkLayout layout_of(BufferShape shape, std::uint64_t count) {
    ChunkLayout layout;
    layout.kind =
        shape == BufferShape::kTile ? ChunkLayout::Kind::kTile : ChunkLayout::Kind::kBlocks;
    layout.count = count;
    return layout;
}

Launch launch_of(const Plan& plan) {
    const Request& request = plan.request;
    Launch launch;
    launch.steps = plan.steps;
    launch.first_lane = plan.first_lane;
    launch.input_layout = layout_of(plan.shape.input, request.count);
    launch.output_layout = layout_of(plan.shape.output, request.count);
    launch.work_layout = layout_of(plan.shape.work, request.count);
    launch.piece_elements = plan.piece_elements();
    launch.type = request.type;
    launch.wide_wire = plan.wide_wire;
    launch.reduce_kind = request.op == xcclProd ? ReduceKind::kProd : ReduceKind::kSum;
    launch.descriptor.count = request.count;
    launch.descriptor.coll = static_cast<std::uint8_t>(request.coll);
    launch.descriptor.datatype = static_cast<std::uint8_t>(request.type);
    launch.descriptor.op = static_cast<std::uint8_t>(request.op);
    launch.descriptor.root = plan.shape.rooted ? request.root : -1;
    return launch;
}

// Mostly numbers of all magnitudes near one, so that the order of sums shows; now and then any bits
// at all.
template <typename T>
std::vector<T> random_values(int rank, std::uint64_t count) {
    std::mt19937_64 random(static_cast<std::uint64_t>(rank) * 1000 + count);
    std::vector<T> values(count);
    for (T& value : values) {
        const std::uint64_t bits = random();
        if (random() % 16 == 0) {
            std::memcpy(&value, &bits, sizeof value);
            continue;
        }
        const int exponent = static_cast<int>(random() % 8) - 5;
        const double number = std::ldexp(static_cast<double>(bits % 2048) / 1024 - 1, exponent);
        value = reference::rounded<T>(static_cast<typename reference::Computed<T>::type>(number));
    }
    return values;
}

using Bytes = std::string;
template <typename T>
Bytes bytes_of(const std::vector<T>& values) {
    const auto* data = reinterpret_cast<const char*>(values.data());
    return {data, data + values.size() * sizeof(T)};
}

std::uint64_t input_count(const Request& request, int n) {
    return request.coll == xcclCollReduceScatter ? request.count * n : request.count;
}

// Planners of all ranks of a world. `wish`: an algorithm to take where it may run.
std::vector<std::unique_ptr<Planner>> planners_of(const Topology& world, const std::string& wish) {
    std::vector<std::unique_ptr<Planner>> planners;
    for (int rank = 0; rank < world.rank_count; ++rank) {
        auto planner = Planner::make(world, rank, limits_of(testing::small_geometry()), {wish, 0});
        EXPECT_TRUE(planner.ok()) << planner.status().text();
        planners.push_back(std::move(planner).value());
    }
    return planners;
}
using Planners = std::vector<std::unique_ptr<Planner>>;

// Runs a request, and gives each rank's output, and the name of what ran.
template <typename T>
std::vector<Bytes> run(const Planners& planners, const Request& request, std::string* name) {
    const int n = static_cast<int>(planners.size());
    testing::Rig rig(n);
    std::vector<Bytes> inputs, outputs;
    std::vector<Ticket> tickets;
    for (int rank = 0; rank < n; ++rank) {
        inputs.push_back(bytes_of(random_values<T>(rank, input_count(request, n))));
        outputs.emplace_back(request.count * sizeof(T), '\0');
    }
    for (int rank = 0; rank < n; ++rank) {
        const auto plan = plan_of(*planners[rank], request);
        if (plan == nullptr) return {};
        *name = plan->name();
        const auto launch = rig.engine(rank).prepare(launch_of(*plan));
        EXPECT_TRUE(launch.ok()) << launch.status().text();
        if (!launch.ok()) return {};
        tickets.push_back(rig.engine(rank).submit(
            launch.value(), {reinterpret_cast<const std::byte*>(inputs[rank].data()),
                             reinterpret_cast<std::byte*>(outputs[rank].data()),
                             {}}));
    }
    rig.settle();
    for (int rank = 0; rank < n; ++rank) {
        EXPECT_TRUE(rig.engine(rank).done(tickets[rank])) << *name << ", rank " << rank;
        EXPECT_TRUE(rig.engine(rank).status().ok()) << rig.engine(rank).status().text();
    }
    return outputs;
}

// Elements [first, first + count) of the canonical tree over all ranks' inputs, rounded once.
template <typename T>
Bytes sequential(const Request& request, int n, std::uint64_t first) {
    using C = typename reference::Computed<T>::type;
    std::vector<std::vector<T>> inputs;
    for (int rank = 0; rank < n; ++rank) {
        inputs.push_back(random_values<T>(rank, input_count(request, n)));
    }
    const ReduceKind kind = request.op == xcclProd ? ReduceKind::kProd : ReduceKind::kSum;
    std::vector<T> result;
    for (std::uint64_t i = first; i < first + request.count; ++i) {
        std::vector<C> terms;
        for (int rank = 0; rank < n; ++rank) {
            terms.push_back(reference::widened<T>(inputs[rank][i]));
        }
        result.push_back(reference::rounded<T>(reference::combine_tree<C>(kind, terms, 0, n)));
    }
    return bytes_of(result);
}

template <typename T>
void expect_canonical(const Planners& planners, const Request& request,
                      std::set<std::string>* names) {
    std::string name;
    const std::vector<Bytes> outputs = run<T>(planners, request, &name);
    ASSERT_FALSE(outputs.empty());
    names->insert(name);
    const int n = static_cast<int>(planners.size());
    for (int rank = 0; rank < n; ++rank) {
        const bool scattered = request.coll == xcclCollReduceScatter;
        if (request.coll == xcclCollReduce && rank != request.root) continue;
        ASSERT_EQ(outputs[rank], sequential<T>(request, n, scattered ? rank * request.count : 0))
            << name << " of " << datatype_name(request.type) << " over " << n << " ranks on "
            << planners[0]->topology().node_count() << " nodes, rank " << rank;
    }
}

// One host; two, in order; the same two, dealt out in turn; three of different sizes.
std::vector<Topology> placements(int n) {
    std::vector<Topology> all = {uniform_topology(n, n, 64), uniform_topology(n, (n + 1) / 2, 64),
                                 nodes_of({n - n / 2, n / 2}, 64, true)};
    if (n >= 4) all.push_back(nodes_of({1, n - 3, 2}, 2, true));
    return all;
}

Request reproducible(xcclColl_t coll, std::uint64_t count, xcclDataType_t type,
                     xcclRedOp_t op = xcclSum, int root = 0) {
    return {coll, count, type, op, root, true};
}

class Reproducible : public ::testing::TestWithParam<int> {
  protected:
    // Calls `body` with a value of each floating type, and its number.
    template <typename Body>
    static void for_each_type(Body&& body) {
        body(Float16{}, xcclFloat16);
        body(Bfloat16{}, xcclBfloat16);
        body(float{}, xcclFloat32);
        body(double{}, xcclFloat64);
        body(Float8e4m3{}, xcclFloat8e4m3);
        body(Float8e5m2{}, xcclFloat8e5m2);
    }
};

TEST_P(Reproducible, EveryPatternAndPlacementGivesTheSequentialBits) {
    const int n = GetParam();
    std::set<std::string> everywhere;
    for (const Topology& world : placements(n)) {
        std::set<std::string> names;
        for (const Algorithm& algorithm : all_algorithms()) {
            if (algorithm.contract != Contract::kAllReduce) continue;
            const Planners planners = planners_of(world, algorithm.name);
            for_each_type([&](auto zero, xcclDataType_t type) {
                const Request request = reproducible(xcclCollAllReduce, 131, type);
                expect_canonical<decltype(zero)>(planners, request, &names);
            });
            if (HasFatalFailure()) return;
        }
        EXPECT_GE(names.size(), 3u) << "patterns over " << world.node_count() << " nodes";
        everywhere.insert(names.begin(), names.end());
        if (world.node_count() > 1) {
            EXPECT_TRUE(names.contains("ordered_hierarchical_all_reduce"));
        }
    }
    // Partial results travel in the first, and uncombined ones in the second.
    EXPECT_TRUE(everywhere.contains("binomial_all_reduce"));
    EXPECT_TRUE(everywhere.contains("ordered_hierarchical_all_reduce"));
    EXPECT_FALSE(everywhere.contains("ring_all_reduce"));
}

TEST_P(Reproducible, WhateverThePlannerChoosesGivesTheSequentialBits) {
    const int n = GetParam();
    std::set<std::string> names;
    for (const Topology& world : placements(n)) {
        const Planners planners = planners_of(world, "");
        for (std::uint64_t count : {1u, 17u, 300u}) {
            for_each_type([&](auto zero, xcclDataType_t type) {
                using T = decltype(zero);
                for (xcclRedOp_t op : {xcclSum, xcclProd}) {
                    for (xcclColl_t coll :
                         {xcclCollAllReduce, xcclCollReduceScatter, xcclCollReduce}) {
                        const int root = coll == xcclCollReduce ? n / 2 : 0;
                        expect_canonical<T>(planners, reproducible(coll, count, type, op, root),
                                            &names);
                    }
                }
            });
            if (HasFatalFailure()) return;
        }
    }
    EXPECT_GE(names.size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Reproducible, ::testing::Range(2, 17));

// The mode is there for a reason: without it, patterns differ in bits.
TEST(NotReproducible, TwoPatternsDiffer) {
    const Topology world = uniform_topology(8, 8, 64);
    for (bool asked : {false, true}) {
        std::map<std::string, Bytes> by_name;
        for (const char* wish : {"ring", "direct_two_phase", "halving_doubling", "double_tree"}) {
            Request request = reproducible(xcclCollAllReduce, 1000, xcclFloat32);
            request.reproducible = asked;
            std::string name;
            const std::vector<Bytes> outputs = run<float>(planners_of(world, wish), request, &name);
            ASSERT_FALSE(outputs.empty());
            for (const Bytes& output : outputs) EXPECT_EQ(output, outputs[0]) << "ranks agree";
            by_name[name] = outputs[0];
        }
        std::set<Bytes> different;
        for (const auto& [name, output] : by_name) different.insert(output);
        if (asked) {
            EXPECT_EQ(different.size(), 1u);
        } else {
            EXPECT_EQ(by_name.size(), 4u);
            EXPECT_GE(different.size(), 2u);
            EXPECT_NE(by_name["ring_all_reduce"], by_name["direct_two_phase_all_reduce"]);
        }
    }
}

// Rounding at every hop is a difference of its own: the same order, other bits.
TEST(NotReproducible, LowPrecisionIsRoundedAtEveryHop) {
    const Topology world = uniform_topology(8, 8, 64);
    const Planners planners = planners_of(world, "binomial");
    Request request = reproducible(xcclCollAllReduce, 1000, xcclBfloat16);
    std::string name;
    const auto wide = run<Bfloat16>(planners, request, &name);
    request.reproducible = false;
    const auto narrow = run<Bfloat16>(planners, request, &name);
    ASSERT_FALSE(wide.empty() || narrow.empty());
    EXPECT_EQ(name, "binomial_all_reduce");
    EXPECT_NE(wide[0], narrow[0]);
}

}  // namespace
}  // namespace xccl
