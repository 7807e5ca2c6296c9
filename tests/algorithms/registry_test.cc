// Goal: every algorithm keeps its contract, at every shape that matters. Method: the verifier
// proves the encoded steps, with and without fusing, in and out of place, for 1 to 64 ranks and
// every root; samples of larger and hierarchical shapes follow.
#include "algorithms/registry.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "algorithms/proving.h"
#include "schedule/contract.h"

namespace xccl {
namespace {

using testing::compile_all;
using testing::name_of;
using testing::shape_of;
using testing::verify_options;

bool works_in_place(Contract contract) {
    return contract != Contract::kAllToAll;
}

void prove(const Algorithm& algorithm, const Shape& shape, bool fused, int* count) {
    SCOPED_TRACE(name_of(algorithm, shape) + (fused ? ", fused" : ""));
    auto ranks = compile_all(algorithm, shape, {.fused = fused});
    ASSERT_TRUE(ranks.ok()) << ranks.status().text();
    for (bool in_place : {false, true}) {
        if (in_place && !works_in_place(algorithm.contract)) continue;
        VerifyOptions options = verify_options(algorithm, shape);
        options.in_place = in_place;
        options.slot_count = fused ? kLeastSlotCount : 1;
        auto proof = verify(*ranks, options);
        ASSERT_TRUE(proof.ok()) << (in_place ? "in place: " : "") << proof.status().text();
        ++*count;
    }
}

class EveryAlgorithm : public ::testing::TestWithParam<const Algorithm*> {};

TEST_P(EveryAlgorithm, keeps_its_contract_from_1_to_64_ranks_with_every_root) {
    const Algorithm& algorithm = *GetParam();
    int count = 0;
    for (int n = 1; n <= 64; ++n) {
        for (int root = 0; root < (is_rooted(algorithm.contract) ? n : 1); ++root) {
            const Shape shape = shape_of(n, root);
            if (!supports(algorithm, shape)) continue;
            prove(algorithm, shape, true, &count);
            prove(algorithm, shape, false, &count);
            if (HasFatalFailure()) return;
        }
    }
    RecordProperty("proofs", count);
}

std::vector<const Algorithm*> pointers() {
    std::vector<const Algorithm*> all;
    for (const Algorithm& algorithm : all_algorithms()) all.push_back(&algorithm);
    return all;
}

INSTANTIATE_TEST_SUITE_P(registry, EveryAlgorithm, ::testing::ValuesIn(pointers()),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace xccl
