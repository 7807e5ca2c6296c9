// Goal: every algorithm keeps its contract, at every shape that matters, and what the registry says
// of it is true. Method: the verifier proves the encoded steps, with and without fusing, in and out
// of place, for 1 to 64 ranks and every root; then nodes of all sizes, sequences of operations, and
// samples of up to 4096 ranks.
#include "algorithms/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "algorithms/proving.h"
#include "instrumented.h"
#include "schedule/verify_symmetric.h"

namespace xccl {
namespace {

using testing::compile_all;
using testing::every_algorithm;
using testing::name_of;
using testing::shape_of;
using testing::verify_options;

struct Tally {
    std::uint64_t proofs = 0;
    std::uint64_t steps = 0;
};

enum class Bindings { kBoth, kInPlace };

struct Form {
    bool fused = true;
    int copies = 1;
    int passes = 1;
    Rounding rounding = Rounding::kNone;
    Bindings bindings = Bindings::kBoth;
    bool at_any_cost = false;  // beyond what is proved at run time: tens of seconds, gigabytes
};

void prove(const Algorithm& algorithm, const Shape& shape, const Form& form, Tally* tally) {
    SCOPED_TRACE(name_of(algorithm, shape) + (form.fused ? ", fused" : ""));
    auto ranks = compile_all(algorithm, shape, {.fused = form.fused, .copies = form.copies});
    ASSERT_TRUE(ranks.ok()) << ranks.status().text();
    for (bool in_place : {false, true}) {
        if (in_place && !testing::works_in_place(algorithm.contract)) continue;
        if (!in_place && form.bindings == Bindings::kInPlace) continue;
        VerifyOptions options = verify_options(algorithm, shape);
        options.in_place = in_place;
        options.slot_count = form.fused ? kLeastSlotCount : 1;
        options.passes = form.passes;
        options.rounding = form.rounding;
        if (form.at_any_cost) {
            options.max_steps = UINT64_MAX;
            options.window_values = 8 * kWindowValues;  // fewer runs
        }
        auto proof = verify(*ranks, options);
        ASSERT_TRUE(proof.ok()) << (in_place ? "in place: " : "") << proof.status().text();
        // What is rounded at every hop is never the expression that is rounded once.
        const bool combines = algorithm.canonical != Canonical::kDoesNotCombine;
        if (combines && is_canonical(algorithm, shape.rank_count) &&
            form.rounding != Rounding::kEverywhere) {
            ASSERT_TRUE(proof->canonical);
        }
        ++tally->proofs;
        tally->steps += proof->step_count;
    }
}

void report(const Algorithm& algorithm, const Tally& tally, const char* what) {
    std::printf("%-34s %6lu proofs of %10lu steps: %s\n", algorithm.name, tally.proofs, tally.steps,
                what);
}

class EveryAlgorithm : public ::testing::TestWithParam<const Algorithm*> {};

TEST_P(EveryAlgorithm, KeepsItsContractFrom1To64RanksWithEveryRoot) {
    const Algorithm& algorithm = *GetParam();
    Tally tally;
    for (int n = 1; n <= 64; ++n) {
        for (int root = 0; root < (is_rooted(algorithm.contract) ? n : 1); ++root) {
            const Shape shape = shape_of(n, root);
            if (!supports(algorithm, shape)) continue;
            prove(algorithm, shape, {.fused = true}, &tally);
            prove(algorithm, shape, {.fused = false}, &tally);
            if (HasFatalFailure()) return;
        }
    }
    report(algorithm, tally, "1..64 ranks on one node, every root");
}

TEST_P(EveryAlgorithm, KeepsItsContractOverNodesOfAllSizes) {
    const Algorithm& algorithm = *GetParam();
    Tally tally;
    std::vector<Shape> shapes;
    for (int n = 2; n <= 24; ++n) {
        for (int node_size = 1; node_size < n; ++node_size) {
            for (bool interleaved : {false, true}) {
                shapes.push_back(shape_of(n, n / 2, node_size, interleaved));
            }
        }
    }
    for (const auto& nodes : std::vector<std::vector<int>>{
             {1, 2}, {3, 1, 2}, {5, 4, 4}, {1, 1, 6}, {16, 16, 16, 16}, {70, 70}, {65, 3}}) {
        shapes.push_back(testing::shape_of_nodes(nodes));
    }
    shapes.push_back(shape_of(64, 0, 8, true));
    shapes.push_back(shape_of(63, 0, 1));
    for (const Shape& shape : shapes) {
        if (!supports(algorithm, shape)) continue;
        prove(algorithm, shape, {}, &tally);
        if (shape.rank_count <= 12) prove(algorithm, shape, {.fused = false}, &tally);
        if (HasFatalFailure()) return;
    }
    report(algorithm, tally, "several nodes");
}

// Copies, operations one after the other over the same connections, and each way to round.
TEST_P(EveryAlgorithm, KeepsItsContractInCopiesInSequenceAndRounded) {
    const Algorithm& algorithm = *GetParam();
    Tally tally;
    for (int n = 1; n <= 17; ++n) {
        for (const Shape& shape : {shape_of(n, n - 1), shape_of(n, n / 2, 2)}) {
            if (!supports(algorithm, shape)) continue;
            prove(algorithm, shape, {.copies = 2}, &tally);
            prove(algorithm, shape, {.passes = 3}, &tally);
            prove(algorithm, shape, {.fused = false, .copies = 2, .passes = 3}, &tally);
            prove(algorithm, shape, {.rounding = Rounding::kAtOutput}, &tally);
            prove(algorithm, shape, {.rounding = Rounding::kEverywhere}, &tally);
            if (HasFatalFailure()) return;
        }
    }
    report(algorithm, tally, "1..17 ranks, copies, three in a row, rounded");
}

// What all ranks do, by way of two of them: rank 0's steps and the root's.
struct Work {
    std::uint64_t steps = 0;
    std::uint64_t operands = 0;
    std::uint64_t moves = 0;  // chunks read or written
};
Work work_of(const Algorithm& algorithm, Shape shape) {
    Work work;
    const int middle = shape.rank_count / 2;
    for (int rank : {shape.root, middle}) {
        shape.rank = rank;
        const auto steps = compile(algorithm.generate(shape));
        EXPECT_TRUE(steps.ok()) << steps.status().text();
        const std::uint64_t ranks =
            rank == shape.root ? 1 : static_cast<std::uint64_t>(shape.rank_count) - 1;
        for (const Lane& lane : steps->lanes) {
            work.steps += ranks * lane.steps.size();
            for (const Step& step : lane.steps) {
                const std::uint64_t operands = step.source_count + step.destination_count;
                work.operands += ranks * operands;
                work.moves += ranks * operands * step.span;
            }
        }
    }
    return work;
}

void prove_rotation(const Algorithm& algorithm, const Shape& shape, Tally* tally) {
    SCOPED_TRACE(name_of(algorithm, shape) + ", by rotation");
    const auto compiled = [&](int rank) {
        Shape at = shape;
        at.rank = rank;
        return compile(algorithm.generate(at));
    };
    const auto first = compiled(0);
    ASSERT_TRUE(first.ok()) << first.status().text();
    const VerifyOptions options = verify_options(algorithm, shape);
    const auto proof = verify_rotation(*first, options);
    ASSERT_TRUE(proof.ok()) << proof.status().text();
    for (int rank : {1, shape.rank_count / 2, shape.rank_count - 1}) {
        const Status image = is_rotation_of(*first, *compiled(rank), options);
        ASSERT_TRUE(image.ok()) << image.text();
    }
    ++tally->proofs;
    tally->steps += proof->step_count;
}

// Shapes of up to 4096 ranks: proved in full, or by symmetry where that takes too long. Where there
// is none, 4096 ranks are proved in full all the same, in place only, where all hazards are.
TEST_P(EveryAlgorithm, KeepsItsContractInSamplesOfUpTo4096Ranks) {
    const Algorithm& algorithm = *GetParam();
    constexpr std::uint64_t kFewMoves = 2'500'000;
    Tally tally;
    int largest = 0;
    for (int n : {97, 256, 257, 1000, 1024, 4096, 4093}) {
        for (int node_size : {0, 8, 32, 63}) {
            const Shape shape = shape_of(n, n - 1, node_size);
            const bool needs_nodes = !supports(algorithm, shape_of(n));
            if (!supports(algorithm, shape) || needs_nodes != (node_size > 0)) continue;
            const Work work = work_of(algorithm, shape);
            const bool provable =
                work.steps <= kMaxVerifiedSteps && work.operands <= 4 * kMaxVerifiedSteps;
            if (provable && work.moves <= kFewMoves) {
                prove(algorithm, shape, {}, &tally);
            } else if (algorithm.symmetry == Symmetry::kRotation) {
                prove_rotation(algorithm, shape_of(n), &tally);
            } else if (n == 4096 && largest < n && (provable || !kInstrumented)) {
                prove(algorithm, shape, {.bindings = Bindings::kInPlace, .at_any_cost = true},
                      &tally);
            } else {
                continue;
            }
            if (HasFatalFailure()) return;
            largest = std::max(largest, n);
        }
    }
    report(algorithm, tally, ("samples, the largest of " + std::to_string(largest)).c_str());
    EXPECT_GE(largest, kInstrumented ? 256 : 4096);
}

TEST_P(EveryAlgorithm, DeclaresOnlySymmetryThatItHas) {
    const Algorithm& algorithm = *GetParam();
    if (algorithm.symmetry == Symmetry::kNone) return;
    for (int n = 1; n <= 64; ++n) {
        const Shape shape = shape_of(n);
        SCOPED_TRACE(name_of(algorithm, shape));
        for (int passes : {1, 2}) {
            VerifyOptions options = verify_options(algorithm, shape);
            options.passes = passes;
            const auto ranks = compile_all(algorithm, shape, {.copies = 2});
            ASSERT_TRUE(ranks.ok());
            const auto full = verify(ranks.value(), options);
            const auto symmetric = verify_rotation(ranks.value()[0], options);
            ASSERT_TRUE(full.ok() && symmetric.ok()) << symmetric.status().text();
            EXPECT_EQ(symmetric->step_count, full->step_count);
            EXPECT_EQ(symmetric->message_count, full->message_count);
            for (const Steps& steps : ranks.value()) {
                const Status image = is_rotation_of(ranks.value()[0], steps, options);
                ASSERT_TRUE(image.ok()) << image.text();
            }
        }
    }
}

// And is not everywhere, if it does not: reproducible mode must not pass good ones by.
TEST_P(EveryAlgorithm, IsCanonicalWhereItSaysSo) {
    const Algorithm& algorithm = *GetParam();
    if (algorithm.canonical == Canonical::kDoesNotCombine) {
        EXPECT_TRUE(!is_combining(algorithm.contract) || algorithm.contract == Contract::kBarrier);
        return;
    }
    int canonical = 0, other = 0;
    for (int n = 5; n <= 20; ++n) {
        const Shape shape = shape_of(n, 0, n % 4 == 0 ? 4 : 3);
        if (!supports(algorithm, shape)) continue;
        const auto ranks = compile_all(algorithm, shape);
        ASSERT_TRUE(ranks.ok());
        const auto proof = verify(ranks.value(), verify_options(algorithm, shape));
        ASSERT_TRUE(proof.ok()) << proof.status().text();
        ++(proof->canonical ? canonical : other);
        if (is_canonical(algorithm, n)) {
            EXPECT_TRUE(proof->canonical) << name_of(algorithm, shape);
        }
    }
    EXPECT_EQ(other > 0, algorithm.canonical != Canonical::kAlways);
    if (algorithm.canonical != Canonical::kNever) {
        EXPECT_GT(canonical, 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryAlgorithm, ::testing::ValuesIn(every_algorithm()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(Registry, NamesAreUniqueAndFound) {
    std::set<std::string> names;
    for (const Algorithm& algorithm : all_algorithms()) {
        EXPECT_TRUE(names.insert(algorithm.name).second) << algorithm.name;
        EXPECT_EQ(find_algorithm(algorithm.name), &algorithm);
        EXPECT_TRUE(std::string(algorithm.name).ends_with(contract_name(algorithm.contract)));
    }
    EXPECT_EQ(find_algorithm("rnig_all_reduce"), nullptr);
    EXPECT_EQ(find_algorithm(""), nullptr);
}

// The planner relies on it: there is always one that does any shape, and, of those that combine,
// one in the canonical order.
TEST(Registry, EveryContractCanBeKeptAtEveryShape) {
    for (int n : {1, 2, 3, 64, 5000}) {
        for (int contract = 0; contract <= static_cast<int>(Contract::kBarrier); ++contract) {
            const Shape shape = shape_of(n);
            int usable = 0, canonical = 0;
            for (const Algorithm& algorithm : all_algorithms()) {
                if (static_cast<int>(algorithm.contract) != contract) continue;
                if (!supports(algorithm, shape)) continue;
                ++usable;
                canonical += is_canonical(algorithm, n);
            }
            const char* const name = contract_name(static_cast<Contract>(contract));
            EXPECT_GT(usable, 0) << name << " over " << n;
            if (n <= 4096) {
                EXPECT_GT(canonical, 0) << name << " over " << n;
            }
        }
    }
}

}  // namespace
}  // namespace xccl
