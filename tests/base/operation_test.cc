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

TEST(Operation, InPlaceMayDiffer) {
    OperationDescriptor in_place = all_reduce();
    in_place.in_place = 1;
    EXPECT_EQ(signature_of(in_place), signature_of(all_reduce()));
    EXPECT_EQ(difference(in_place, all_reduce()), "");
}

TEST(Operation, IsDescribedForPeople) {
    EXPECT_EQ(describe(all_reduce()), "all_reduce #17 of 1048576 float32, sum");
    EXPECT_EQ(describe(OperationDescriptor()), "no operation yet");
    OperationDescriptor strange = all_reduce();  // as it may come from outside
    strange.coll = strange.datatype = strange.op = 99;
    EXPECT_NE(describe(strange).find("#17"), std::string::npos);
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
