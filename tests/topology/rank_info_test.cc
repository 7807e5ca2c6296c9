// Goal: a rank's description of its place survives the trip, and nothing that arrives from outside
// is believed unchecked. Method: round trips; every truncation; lengths that lie; random bytes.
#include "topology/rank_info.h"

#include <gtest/gtest.h>

#include <random>

namespace xccl {
namespace {

RankInfo example() {
    return {.host_key = "boot-id/ns:4026531840",
            .process_key = "4242/17",
            .cpu_mask = {0xff00ff00ff00ff00, 3},
            .cpu_quota = 6,
            .machine_key = "boot-id"};
}

TEST(RankInfo, SurvivesTheTrip) {
    for (const RankInfo& info :
         {example(), RankInfo{}, RankInfo{std::string(256, 'x'), "p", {}, 0}}) {
        const Result<RankInfo> copy = decode_rank_info(encode_rank_info(info));
        ASSERT_TRUE(copy.ok()) << copy.status().text();
        EXPECT_EQ(copy.value(), info);
    }
}

TEST(RankInfo, KeysMayHoldAnyByte) {
    RankInfo info = example();
    info.host_key = std::string("a\0b\xff", 4);
    EXPECT_EQ(decode_rank_info(encode_rank_info(info)).value(), info);
}

TEST(RankInfo, EveryTruncationIsRefused) {
    const std::string whole = encode_rank_info(example());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto part = decode_rank_info(std::string_view(whole).substr(0, length));
        EXPECT_FALSE(part.ok()) << length;
        EXPECT_EQ(part.status().code(), xcclRemoteError);
    }
    EXPECT_FALSE(decode_rank_info(whole + "x").ok());
}

TEST(RankInfo, LengthsThatLieAreRefused) {
    const std::string whole = encode_rank_info(example());
    for (std::size_t at : {std::size_t{5}, std::size_t{7 + example().host_key.size()}}) {
        std::string bytes = whole;
        bytes[at] = bytes[at + 1] = '\xff';
        EXPECT_FALSE(decode_rank_info(bytes).ok());
    }
    // A mask longer than any machine, with all its words there.
    std::string bytes = encode_rank_info({"h", "p", {}, 0});
    bytes[bytes.size() - 2] = static_cast<char>(kMaxCpuMaskWords + 1);
    EXPECT_FALSE(decode_rank_info(bytes + std::string((kMaxCpuMaskWords + 1) * 8, '\1')).ok());
    // A key longer than allowed, all of it there.
    std::string longer = encode_rank_info({std::string(kMaxPlaceKeyBytes, 'x'), "p", {}, 0});
    longer[5] = 1;  // 256 + 1
    longer.insert(7, 1, 'x');
    const auto refused = decode_rank_info(longer);
    EXPECT_FALSE(refused.ok());
}

TEST(RankInfo, AnotherVersionIsNamed) {
    std::string bytes = encode_rank_info(example());
    bytes[0] = 9;
    const auto refused = decode_rank_info(bytes);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.status().text().find("version 9"), std::string::npos);
}

TEST(RankInfo, RandomBytesNeverDoHarm) {
    std::mt19937 random(7);
    for (int round = 0; round < 20000; ++round) {
        std::string bytes(random() % 64, '\0');
        for (char& byte : bytes)
            byte = static_cast<char>(random() % 4 == 0 ? random() : random() % 3);
        const auto info = decode_rank_info(bytes);
        if (!info.ok()) continue;
        EXPECT_EQ(encode_rank_info(info.value()), bytes);
    }
}

TEST(CpuMask, CountsAndCompares) {
    const CpuMask low = cpu_mask_of({0, 1, 63});
    const CpuMask high = cpu_mask_of({1, 64, 200});
    EXPECT_EQ(cpu_count_of(low), 3);
    EXPECT_EQ(cpu_count_of(united(low, high)), 5);
    EXPECT_EQ(united(low, high), united(high, low));
    EXPECT_TRUE(is_subset(low, united(low, high)));
    EXPECT_TRUE(is_subset(cpu_mask_of({1}), high));
    EXPECT_FALSE(is_subset(high, low));
    EXPECT_FALSE(is_subset(low, {}));
    EXPECT_TRUE(is_subset({0, 0}, {}));
}

}  // namespace
}  // namespace xccl
