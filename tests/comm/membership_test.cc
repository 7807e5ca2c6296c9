// Goal: what a rank tells of itself arrives whole, and nothing that is malformed is believed.
#include "comm/membership.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

Member some_member() {
    Member member;
    member.place = {"host", "process", cpu_mask_of({0, 5}), 2};
    member.host_name = "node7";
    member.pid = 4242;
    member.origin_rank = 3;
    member.tcp_addresses = {"192.0.2.1:4711", "[fd00::1]:4711"};
    member.reproducible = true;
    member.lanes = 2;
    member.slot_bytes = 65536;
    member.algorithm = "all_reduce:ring";
    member.cost_origin = CostOrigin::kRead;
    member.costs.latency_us *= 1.0 / 3;
    return member;
}

TEST(Membership, TravelsWhole) {
    const auto member = decode_member(encode_member(some_member()));
    ASSERT_TRUE(member.ok()) << member.status().text();
    EXPECT_EQ(*member, some_member());
}

TEST(Membership, WhatIsCutOffIsRefused) {
    const std::string bytes = encode_member(some_member());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_member(bytes.substr(0, size)).ok()) << size;
    }
}

TEST(Membership, NoFlippedByteDoesHarm) {
    const std::string bytes = encode_member(some_member());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int flip : {1, 0x80, 0xff}) {
            std::string other = bytes;
            other[i] = static_cast<char>(other[i] ^ flip);
            const auto member = decode_member(other);  // may pass: a name may be any
            EXPECT_EQ(member.status().code(), member.ok() ? xcclSuccess : xcclRemoteError) << i;
        }
    }
}

// Ranks 0 and 1 share a machine, 2 and 3 another.
Membership with_origins(const std::vector<CostOrigin>& origins) {
    Membership membership;
    membership.topology = uniform_topology(4, 2, 2);
    membership.members.assign(4, some_member());
    for (std::size_t rank = 0; rank < origins.size(); ++rank) {
        membership.members[rank].cost_origin = origins[rank];
    }
    return membership;
}

TEST(Membership, AllPlanWithTheCostsOfTheLowestRankThatKnowsItsOwn) {
    using enum CostOrigin;
    const auto several = with_origins({kBuiltIn, kRead, kBuiltIn, kMeasured});
    EXPECT_EQ(several.rank_of_costs(), 1);
    EXPECT_EQ(several.rank_of_caches(0), 1);
    EXPECT_EQ(several.rank_of_caches(2), 3);
    const auto elsewhere = with_origins({kBuiltIn, kOff, kMeasured, kRead});
    EXPECT_EQ(elsewhere.rank_of_costs(), 2);
    EXPECT_EQ(elsewhere.rank_of_caches(1), -1);
    EXPECT_EQ(with_origins({kBuiltIn, kOff, kBuiltIn, kBuiltIn}).rank_of_costs(), -1);
    // Rank 0 decides for all that none is wanted.
    const auto unwanted = with_origins({kOff, kRead, kRead, kRead});
    EXPECT_EQ(unwanted.rank_of_costs(), -1);
    EXPECT_EQ(unwanted.rank_of_caches(3), -1);
}

TEST(Membership, CostsThatNobodyWouldBelieveAreReplacedAlikeEverywhere) {
    Member member = some_member();
    member.costs.slot_us_per_byte *= 1e6;
    const auto told = decode_member(encode_member(member));
    ASSERT_TRUE(told.ok()) << told.status().text();
    EXPECT_EQ(told->costs.slot_us_per_byte, built_in_costs().slot_us_per_byte);
    EXPECT_EQ(told->costs.latency_us, member.costs.latency_us);
}

TEST(Membership, NamesRanksAsPeopleKnowThem) {
    Membership membership;
    membership.members = {some_member(), some_member()};
    membership.members[1].origin_rank = -1;
    EXPECT_EQ(membership.name_of(0), "rank 0 (rank 3 before the split) on node7 (pid 4242)");
    EXPECT_EQ(membership.name_of(1), "rank 1 on node7 (pid 4242)");
}

}  // namespace
}  // namespace xccl
