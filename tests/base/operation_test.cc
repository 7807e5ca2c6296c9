// Goal: calls that differ are told apart, and people read what differs. Method: one field at a
// time.
#include "base/operation.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace xccl {
namespace {

OperationDescriptor all_reduce() {
    OperationDescriptor operation;
    operation.sequence = 17;
    operation.count = 1048576;
    operation.coll = xcclCollAllReduce;
    operation.datatype = xcclFloat32;
    operation.op = xcclSum;
    return operation;
}

const std::vector<std::function<void(OperationDescriptor*)>> kChanges = {
    [](auto* o) { o->sequence = 18; },
    [](auto* o) { o->count = 2; },
    [](auto* o) { o->root = 1; },
    [](auto* o) { o->coll = xcclCollReduce; },
    [](auto* o) { o->datatype = xcclFloat64; },
    [](auto* o) { o->op = xcclMax; },
};

TEST(Operation, EveryFieldCountsInTheSignature) {
    for (const auto& change : kChanges) {
        OperationDescriptor other = all_reduce();
        change(&other);
        EXPECT_NE(signature_of(other), signature_of(all_reduce()));
        EXPECT_NE(difference(other, all_reduce()), "");
    }
}

TEST(Operation, IsDescribedForPeople) {
    EXPECT_EQ(describe(all_reduce()), "all_reduce #17 of 1048576 float32, sum");
    EXPECT_EQ(describe(OperationDescriptor()), "no operation yet");
    OperationDescriptor transfer{.count = 3, .root = 1, .coll = xcclCollSendRecv, .op = kSend};
    EXPECT_EQ(describe(transfer), "send of 3 int8 to rank 1");
    transfer.op = kReceive;
    EXPECT_EQ(describe(transfer), "receive of 3 int8 from rank 1");
    OperationDescriptor strange = all_reduce();  // as it may come from outside
    strange.coll = strange.datatype = strange.op = 99;
    EXPECT_NE(describe(strange).find("#17"), std::string::npos);
}

TEST(Operation, SharesAreSummedAndToldApart) {
    OperationDescriptor here = all_reduce(), there = here;
    here.coll = there.coll = xcclCollAllGatherv;
    here.count = count_of_shares(std::vector<std::uint64_t>{0, 2});
    there.count = count_of_shares(std::vector<std::uint64_t>{2, 0});
    EXPECT_EQ(describe(here), "all_gatherv #17 of 2 float32 in all");
    EXPECT_NE(signature_of(here), signature_of(there));
    EXPECT_EQ(difference(here, there),
              "the ranks' shares, of the same sum, some here, others there");
    there.count = count_of_shares(std::vector<std::uint64_t>{2, 1});
    EXPECT_EQ(difference(here, there), "count 2 here, 3 there");
}

TEST(Operation, ABarrierHasNoElementsAndTheLastOneAnotherName) {
    OperationDescriptor barrier;
    barrier.sequence = 3;
    barrier.coll = xcclCollBarrier;
    barrier.count = 1;
    OperationDescriptor last = barrier;
    last.count = kFinalBarrierCount;
    EXPECT_EQ(describe(barrier), "barrier #3");
    EXPECT_EQ(describe(last), "finalize #3");
    EXPECT_FALSE(is_final(barrier));
    EXPECT_TRUE(is_final(last));
    EXPECT_EQ(difference(barrier, last), "operation barrier here, finalize there");
    EXPECT_FALSE(is_final(OperationDescriptor()));
}

TEST(Operation, DifferencesNameBothSides) {
    OperationDescriptor there = all_reduce();
    there.coll = xcclCollBroadcast;
    there.count = 2;
    there.root = 0;
    EXPECT_EQ(difference(all_reduce(), there),
              "operation all_reduce here, broadcast there; count 1048576 here, 2 there; "
              "root none here, 0 there");
}

}  // namespace
}  // namespace xccl
