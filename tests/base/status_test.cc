// Goal: failures are values that carry code and text, and the macros pass them on unchanged.
// Covers: base/assert.cc
#include "base/status.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/assert.h"

namespace xccl {
namespace {

Result<int> half_of(int number) {
    if (number % 2 != 0) return invalid_argument("{} is odd", number);
    return number / 2;
}

Result<int> quarter_of(int number) {
    XCCL_ASSIGN(const int half, half_of(number));
    XCCL_TRY(half_of(half));
    return half_of(half);
}

TEST(Status, SuccessIsEmpty) {
    EXPECT_TRUE(ok_status().ok());
    EXPECT_EQ(ok_status().code(), xcclSuccess);
    EXPECT_EQ(ok_status().text(), "");
    EXPECT_TRUE(Status(xcclSuccess, "ignored").ok());
}

TEST(Status, FailuresTravelThroughTheMacros) {
    EXPECT_EQ(quarter_of(12).value(), 3);
    EXPECT_EQ(quarter_of(7).status().text(), "7 is odd");
    EXPECT_EQ(quarter_of(6).status().text(), "3 is odd");
    EXPECT_EQ(quarter_of(6).status().code(), xcclInvalidArgument);
}

TEST(Status, ASystemCallNamesItselfAndItsError) {
    EXPECT_EQ(errno_text("mmap", ENOMEM), "mmap: Cannot allocate memory (errno 12)");
}

TEST(AssertDeathTest, NamesTheConditionAndThePlace) {
    EXPECT_DEATH(XCCL_ASSERT(1 + 1 == 3), "1 \\+ 1 == 3");
}

}  // namespace
}  // namespace xccl
