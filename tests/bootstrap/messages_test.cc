// Goal: every message is read back as it was written; truncated, overlong, contradictory and random
// ones are refused.
#include "bootstrap/messages.h"

#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"

namespace xccl {
namespace {

Introduction an_introduction() {
    Introduction introduction;
    introduction.first_rank = 5;
    introduction.party_size = 3;
    introduction.rank_count = 8;
    introduction.root_index = 1;
    introduction.root_count = 2;
    introduction.process = {"node7", 4711};
    introduction.patience_ms = 60000;
    introduction.first_id = std::string(XCCL_UNIQUE_ID_BYTES, 'i');
    return introduction;
}

TEST(Messages, IntroductionsAreReadBack) {
    EXPECT_EQ(decode_introduction(encode(an_introduction())), an_introduction());
    EXPECT_EQ(decode_introduction(encode(Introduction{})), Introduction{});
}

TEST(Messages, EveryTruncationIsRefused) {
    const std::string whole = encode(an_introduction());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_FALSE(decode_introduction(whole.substr(0, length))) << length;
    }
    EXPECT_FALSE(decode_introduction(whole + "x"));
    EXPECT_FALSE(decode_server(""));
    EXPECT_FALSE(decode_gather("abc"));
}

TEST(Messages, NumbersThatContradictEachOtherAreRefused) {
    const auto refused = [](auto change) {
        Introduction introduction = an_introduction();
        change(&introduction);
        return !decode_introduction(encode(introduction));
    };
    EXPECT_TRUE(refused([](Introduction* i) { i->first_rank = -1; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->first_rank = 6; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->first_rank = 0x7fffffff; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->party_size = 0; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->party_size = -2; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->rank_count = 0; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->rank_count = 1 << 30; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->root_index = 2; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->root_index = -1; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->root_count = 0; }));
    EXPECT_TRUE(refused([](Introduction* i) { i->first_id += "x"; }));
    EXPECT_FALSE(refused([](Introduction*) {}));
}

TEST(Messages, AHostNameCannotCommandATerminal) {
    Introduction introduction = an_introduction();
    introduction.process.host = "a\x1b[2J\n";
    EXPECT_EQ(decode_introduction(encode(introduction))->process.host, "a?[2J?");
}

TEST(Messages, StatusesAreReadBackAndNeverSucceedByAccident) {
    const Status failure = remote_error("rank 3 died");
    EXPECT_EQ(decode_status(encode(failure)).code(), failure.code());
    EXPECT_EQ(decode_status(encode(failure)).text(), failure.text());
    EXPECT_TRUE(decode_status(encode(ok_status())).ok());
    for (const std::int32_t code : {-1, int{xcclInProgress}, int{xcclNumResults}, 0x7fffffff}) {
        const std::string bytes = ByteWriter().put(code).counted("text").take();
        EXPECT_EQ(decode_status(bytes).code(), xcclRemoteError) << code;
    }
    EXPECT_FALSE(decode_status("").ok());
}

TEST(Messages, TablesHaveExactlyTheirStrings) {
    const std::string table = ByteWriter().counted("a").counted("").counted("ccc").take();
    EXPECT_EQ(decode_table(table, 3), (std::vector<std::string>{"a", "", "ccc"}));
    EXPECT_FALSE(decode_table(table, 2));
    EXPECT_FALSE(decode_table(table, 4));
    EXPECT_FALSE(is_table(table.substr(0, table.size() - 1), 3));
    EXPECT_FALSE(is_table(std::string("\xff\xff\xff\xff", 4), 1));
}

TEST(Messages, RanksAreDealtToRootsAsTheRootsAreChosen) {
    for (const auto& [ranks, roots] : {std::pair{1, 1}, {8, 3}, {7, 7}, {64, 5}, {3, 8}}) {
        int next = 0;
        for (int root = 0; root < roots; ++root) {
            const RankRange range = ranks_of_root(root, roots, ranks);
            EXPECT_EQ(range.first, next);
            for (int i = 0; i < range.count; ++i) {
                EXPECT_EQ(std::int64_t{next + i} * roots / ranks, root);
            }
            next += range.count;
        }
        EXPECT_EQ(next, ranks);
    }
}

TEST(Messages, RandomBytesNeverDoHarm) {
    std::mt19937 random(11);
    for (int round = 0; round < 20000; ++round) {
        std::string bytes(random() % 80, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : 0);
        (void)decode_status(bytes).ok();
        (void)decode_server(bytes);
        (void)is_table(bytes, static_cast<int>(random() % 20));
        const auto introduction = decode_introduction(bytes);
        if (!introduction) continue;
        EXPECT_EQ(decode_introduction(encode(*introduction)), introduction);
    }
}

TEST(Messages, NamesSayWhoAndWhere) {
    EXPECT_EQ(rank_text(3, {"node7", 4711}), "rank 3 on node7 (pid 4711)");
    EXPECT_NE(server_text({{"node7", 4711}, 0}).find("rank 0 on node7"), std::string::npos);
    EXPECT_NE(server_text({{"node7", 4711}, -1}).find("pid 4711 on node7"), std::string::npos);
    EXPECT_GT(this_process().pid, 0);
}

}  // namespace
}  // namespace xccl
