// Goal: typing errors find the option that was meant; other words find none.
#include "program/nearest_option.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace xccl::trainer {
namespace {

const std::vector<std::string> kKnown = {"--batch", "--micro-batch", "--learning-rate", "--layers",
                                         "--steps", "--text",        "--top-k"};

TEST(NearestOption, FindsWhatWasMeant) {
    EXPECT_EQ(nearest_option("--lerning-rate", kKnown), "--learning-rate");
    EXPECT_EQ(nearest_option("--learning", kKnown), "--learning-rate");
    EXPECT_EQ(nearest_option("--bacth", kKnown), "--batch");
    EXPECT_EQ(nearest_option("--step", kKnown), "--steps");
    EXPECT_EQ(nearest_option("--topk", kKnown), "--top-k");
    EXPECT_EQ(nearest_option("-steps", kKnown), "--steps");
    EXPECT_EQ(nearest_option("--layer", kKnown), "--layers");
}

TEST(NearestOption, OtherWordsFindNone) {
    EXPECT_EQ(nearest_option("--quantum-entanglement", kKnown), "");
    EXPECT_EQ(nearest_option("", kKnown), "");
    EXPECT_EQ(nearest_option("--batch", {}), "");
    EXPECT_EQ(nearest_option(std::string(100000, 'x'), kKnown), "");
}

}  // namespace
}  // namespace xccl::trainer
