// Goal: sizes and names of all datatypes, operators and collectives, and none for unknown values.
#include "base/datatypes.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace xccl {
namespace {

TEST(Datatypes, HaveSizesAndNames) {
    std::set<std::string> names;
    for (int type = 0; type < xcclNumTypes; ++type) {
        const auto datatype = static_cast<xcclDataType_t>(type);
        EXPECT_GT(element_bytes(datatype), 0u);
        ASSERT_NE(datatype_name(datatype), nullptr);
        names.insert(datatype_name(datatype));
    }
    EXPECT_EQ(names.size(), std::size_t{xcclNumTypes});
    EXPECT_EQ(element_bytes(xcclBfloat16), 2u);
    EXPECT_EQ(element_bytes(xcclFloat64), 8u);
}

TEST(Datatypes, UnknownOnesHaveNone) {
    for (const int type : {-1, static_cast<int>(xcclNumTypes), 77}) {
        EXPECT_EQ(element_bytes(static_cast<xcclDataType_t>(type)), 0u);
        EXPECT_EQ(datatype_name(static_cast<xcclDataType_t>(type)), nullptr);
    }
    EXPECT_EQ(coll_name(static_cast<xcclColl_t>(xcclNumColls)), nullptr);
}

TEST(Datatypes, SmallFloatsAccumulateInFloat32) {
    EXPECT_EQ(accumulate_type(xcclFloat16), xcclFloat32);
    EXPECT_EQ(accumulate_type(xcclFloat8e4m3), xcclFloat32);
    EXPECT_EQ(accumulate_type(xcclFloat32), xcclFloat32);
    EXPECT_EQ(accumulate_type(xcclFloat64), xcclFloat64);
    EXPECT_EQ(accumulate_type(xcclInt8), xcclInt8);
}

TEST(Datatypes, OperatorsAndCollectivesHaveNames) {
    for (int op = 0; op < xcclNumOps; ++op) EXPECT_NE(reduce_op_name(op), nullptr);
    EXPECT_STREQ(reduce_op_name(xcclNumOps), "premul_sum");
    for (int coll = 0; coll < xcclNumColls; ++coll) {
        EXPECT_NE(coll_name(static_cast<xcclColl_t>(coll)), nullptr);
    }
}

}  // namespace
}  // namespace xccl
