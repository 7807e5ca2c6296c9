// Goal: a user's choice is understood or refused with what was meant. Method: texts by hand.
#include "plan/overrides.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

const std::vector<std::string_view> kKnown = {"ring", "direct", "double_tree"};

std::vector<std::string_view> names(const Result<Overrides>& overrides, xcclColl_t coll) {
    EXPECT_TRUE(overrides.ok()) << overrides.status().text();
    return overrides.value().names_for(coll);
}

using Names = std::vector<std::string_view>;

TEST(Overrides, NothingIsAskedForByDefault) {
    EXPECT_TRUE(Overrides::parse("", kKnown).value().empty());
    EXPECT_TRUE(Overrides::parse(" , ", kKnown).value().empty());
}

TEST(Overrides, OneNameIsForAll) {
    const auto ring = Overrides::parse("ring", kKnown);
    EXPECT_EQ(names(ring, xcclCollAllReduce), Names{"ring"});
    EXPECT_EQ(names(ring, xcclCollScatter), Names{"ring"});
}

TEST(Overrides, ACollectivesOwnComesFirst) {
    const auto both = Overrides::parse("all_reduce:double_tree, ring", kKnown);
    EXPECT_EQ(names(both, xcclCollAllReduce), (Names{"double_tree", "ring"}));
    EXPECT_EQ(names(both, xcclCollAllGather), Names{"ring"});
}

TEST(Overrides, TheLastOneWins) {
    const auto two = Overrides::parse("ring,direct", kKnown);
    EXPECT_EQ(names(two, xcclCollReduce), (Names{"direct", "ring"}));
}

TEST(Overrides, UnknownNamesAreAnsweredWithTheNearest) {
    const auto typo = Overrides::parse("all_reduce:rnig", kKnown);
    ASSERT_FALSE(typo.ok());
    EXPECT_EQ(typo.status().code(), xcclInvalidArgument);
    EXPECT_NE(typo.status().text().find("did you mean ring?"), std::string::npos)
        << typo.status().text();

    const auto coll = Overrides::parse("allreduce:ring", kKnown);
    ASSERT_FALSE(coll.ok());
    EXPECT_NE(coll.status().text().find("did you mean all_reduce?"), std::string::npos);

    const auto strange = Overrides::parse("hypercube", kKnown);
    ASSERT_FALSE(strange.ok());
    EXPECT_EQ(strange.status().text().find("did you mean"), std::string::npos);
    EXPECT_NE(strange.status().text().find("ring, direct, double_tree"), std::string::npos);
}

TEST(Overrides, AnEmptyNameIsRefused) {
    EXPECT_FALSE(Overrides::parse("all_reduce:", kKnown).ok());
    EXPECT_FALSE(Overrides::parse(":ring", kKnown).ok());
}

}  // namespace
}  // namespace xccl
