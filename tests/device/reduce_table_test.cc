// Goal: the kernels are chosen by what the processor can do, and the choice can be forced. (That
// all of them give the same bits is proved by kernels_test, which compares each with one
// reference.)
#include "device/reduce_table.h"

#include <gtest/gtest.h>

#include <string>

namespace xccl {
namespace {

TEST(ReduceTable, EveryKernelIsThere) {
    for (const ReduceTable* table : usable_reduce_tables()) {
        for (const auto& kernels_of_type : table->kernels) {
            for (const auto& kernels : kernels_of_type) {
                EXPECT_NE(kernels.reduce, nullptr) << table->name;
                EXPECT_NE(kernels.reduce_two, nullptr) << table->name;
            }
        }
    }
}

TEST(ReduceTable, TheBestUsableIsTheDefault) {
    EXPECT_STREQ(instruction_set(), usable_reduce_tables().front()->name);
    EXPECT_STREQ(usable_reduce_tables().back()->name, "generic");
}

TEST(ReduceTable, AnyUsableOneCanBeForced) {
    for (const ReduceTable* table : usable_reduce_tables()) {
        EXPECT_TRUE(use_instruction_set(table->name));
        EXPECT_STREQ(instruction_set(), table->name);
    }
    EXPECT_FALSE(use_instruction_set("mmx"));
    EXPECT_STREQ(instruction_set(), "generic");
    EXPECT_TRUE(use_instruction_set(usable_reduce_tables().front()->name));
}

}  // namespace
}  // namespace xccl
