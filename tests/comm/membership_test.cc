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

TEST(Membership, NamesRanksAsPeopleKnowThem) {
    Membership membership;
    membership.members = {some_member(), some_member()};
    membership.members[1].origin_rank = -1;
    EXPECT_EQ(membership.name_of(0), "rank 0 (rank 3 before the split) on node7 (pid 4242)");
    EXPECT_EQ(membership.name_of(1), "rank 1 on node7 (pid 4242)");
}

}  // namespace
}  // namespace xccl
