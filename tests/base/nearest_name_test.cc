// Goal: a typing error is answered with the name that was meant, another word with none. Method:
// names and slips by hand.
#include "base/nearest_name.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace xccl {
namespace {

constexpr std::array<std::string_view, 4> kKnown = {"ring", "direct", "recursive_halving",
                                                    "double_tree"};

TEST(NearestName, FindsWhatWasMeant) {
    EXPECT_EQ(nearest_name("rign", kKnown), "ring");
    EXPECT_EQ(nearest_name("dirct", kKnown), "direct");
    EXPECT_EQ(nearest_name("duble_tre", kKnown), "double_tree");
    EXPECT_EQ(nearest_name("ring", kKnown), "ring");
}

TEST(NearestName, AnotherWordIsNotGuessed) {
    EXPECT_EQ(nearest_name("hypercube", kKnown), "");
    EXPECT_EQ(nearest_name("direct_route", kKnown), "");
    EXPECT_EQ(nearest_name("ring", {}), "");
}

TEST(NearestName, TheFirstOfEquallyNearOnesWins) {
    constexpr std::array<std::string_view, 2> names = {"aaa", "aab"};
    EXPECT_EQ(nearest_name("aac", names), "aaa");
}

TEST(NearestName, LongInputIsCutNotWorkedThrough) {
    EXPECT_EQ(nearest_name(std::string(1 << 20, 'x'), kKnown), "");
}

}  // namespace
}  // namespace xccl
