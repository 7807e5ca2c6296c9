// Goal: the root's books: who is let in, when a table is complete, and which words everybody gets
// when something goes wrong.
#include "bootstrap/meeting.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace xccl {
namespace {

Introduction rank_of(int rank, int rank_count, int root_count = 1) {
    Introduction introduction;
    introduction.first_rank = rank;
    introduction.rank_count = rank_count;
    introduction.root_count = root_count;
    introduction.root_index = rank * root_count / rank_count;
    introduction.process = {"node" + std::to_string(rank), 100 + rank};
    return introduction;
}

std::string part(const std::string& text) {
    return ByteWriter().counted(text).take();
}

bool has(const Status& status, const std::string& words) {
    return status.text().find(words) != std::string::npos;
}

// A meeting to which everybody has come; seats are ranks.
Meeting full_meeting(int rank_count) {
    Meeting meeting;
    for (int rank = rank_count - 1; rank >= 0; --rank) {
        EXPECT_EQ(meeting.admit(rank_of(rank, rank_count)).value(), rank);
    }
    return meeting;
}

TEST(Meeting, TablesAreInRankOrderExchangeAfterExchange) {
    Meeting meeting = full_meeting(3);
    for (const std::string round : {"x", "yy", ""}) {
        for (const int rank : {2, 0, 1}) {
            EXPECT_FALSE(meeting.is_complete());
            meeting.contribute(rank, part(round + std::to_string(rank)));
        }
        ASSERT_TRUE(meeting.is_complete());
        EXPECT_EQ(decode_table(meeting.take_table(), 3),
                  (std::vector<std::string>{round + "0", round + "1", round + "2"}));
        EXPECT_FALSE(meeting.is_gathering());
    }
    for (const int rank : {0, 1, 2}) meeting.leave(rank, ok_status());
    EXPECT_TRUE(meeting.is_over());
    EXPECT_TRUE(meeting.failure().ok());
}

TEST(Meeting, ARankComesOnce) {
    Meeting meeting;
    ASSERT_TRUE(meeting.admit(rank_of(1, 2)).ok());
    Introduction twin = rank_of(1, 2);
    twin.process = {"elsewhere", 7};
    const Status refused = meeting.admit(twin).status();
    EXPECT_EQ(refused.code(), xcclInvalidUsage);
    EXPECT_TRUE(has(refused, "rank 1 is claimed twice"));
    EXPECT_TRUE(has(refused, "pid 101 on node1") && has(refused, "pid 7 on elsewhere"));
    EXPECT_TRUE(meeting.failure().ok());
    EXPECT_TRUE(meeting.admit(rank_of(0, 2)).ok());
    meeting.leave(1, ok_status());
    EXPECT_TRUE(has(meeting.admit(twin).status(), "used before"));
}

TEST(Meeting, WhoMeansAnotherCommunicatorIsRefused) {
    Meeting meeting;
    ASSERT_TRUE(meeting.admit(rank_of(0, 4)).ok());
    const Status size = meeting.admit(rank_of(1, 5)).status();
    EXPECT_EQ(size.code(), xcclInvalidUsage);
    EXPECT_TRUE(has(size, "5 ranks") && has(size, "one of 4"));
    EXPECT_TRUE(has(meeting.admit(rank_of(1, 4, 2)).status(), "list of unique ids"));
    Introduction group = rank_of(1, 4);
    group.party_size = 2;
    EXPECT_EQ(meeting.admit(group).status().code(), xcclInvalidArgument);
    EXPECT_TRUE(meeting.failure().ok());
}

TEST(Meeting, OtherRootsSpeakForTheirRanks) {
    Meeting first, second;
    for (const int rank : {0, 1}) ASSERT_TRUE(first.admit(rank_of(rank, 4, 2)).ok());
    for (const int rank : {2, 3}) ASSERT_TRUE(second.admit(rank_of(rank, 4, 2)).ok());
    EXPECT_EQ(second.ranks(), (RankRange{2, 2}));
    Introduction root = rank_of(2, 4, 2);
    root.party_size = 2;
    root.root_index = 0;
    const int seat = first.admit(root).value();
    second.contribute(1, part("3"));
    second.contribute(0, part("2"));
    first.contribute(0, part("0"));
    first.contribute(seat, second.take_table());
    EXPECT_FALSE(first.is_complete());
    first.contribute(1, part("1"));
    EXPECT_EQ(decode_table(first.take_table(), 4), (std::vector<std::string>{"0", "1", "2", "3"}));
}

TEST(Meeting, ALossIsFinalAndNamed) {
    Meeting meeting = full_meeting(3);
    meeting.contribute(0, part("0"));
    meeting.lose(2);
    EXPECT_EQ(meeting.failure().code(), xcclRemoteError);
    EXPECT_TRUE(has(meeting.failure(), "rank 2 on node2 (pid 102)"));
    meeting.lose(1);
    meeting.contribute(1, part("1"));
    EXPECT_TRUE(has(meeting.failure(), "rank 2 on node2"));
    EXPECT_FALSE(meeting.is_complete());
}

TEST(Meeting, ThoseWhoComeAfterAFailureLearnOfIt) {
    Meeting meeting;
    ASSERT_TRUE(meeting.admit(rank_of(0, 2)).ok());
    EXPECT_FALSE(meeting.is_deserted());
    meeting.lose(0);
    EXPECT_FALSE(meeting.is_over());
    EXPECT_TRUE(meeting.is_deserted());
    EXPECT_TRUE(has(meeting.admit(rank_of(1, 2)).status(), "rank 0 on node0"));
    EXPECT_TRUE(meeting.is_over());
}

TEST(Meeting, WhoLeavesIsMissedByThoseWhoGoOn) {
    Meeting before = full_meeting(2);
    before.leave(1, ok_status());
    EXPECT_TRUE(before.failure().ok());
    before.contribute(0, part("0"));
    EXPECT_EQ(before.failure().code(), xcclRemoteError);
    EXPECT_TRUE(has(before.failure(), "rank 1 on node1"));

    Meeting during = full_meeting(2);
    during.contribute(0, part("0"));
    during.leave(1, remote_error("no memory"));
    EXPECT_TRUE(has(during.failure(), "no memory"));
}

TEST(Meeting, TimeRunsOutOnThoseWhoAreMissing) {
    Meeting meeting;
    for (const int rank : {0, 3, 4}) ASSERT_TRUE(meeting.admit(rank_of(rank, 8)).ok());
    meeting.contribute(0, part("0"));
    meeting.run_out_of_time();
    EXPECT_EQ(meeting.failure().code(), xcclTimeout);
    EXPECT_TRUE(has(meeting.failure(), "of 8 ranks these did not come in time: 1-2, 5-7;"))
        << meeting.failure().text();
}

TEST(Meeting, TimeRunsOutOnThoseWhoCameAndStopped) {
    Meeting meeting = full_meeting(3);
    meeting.contribute(0, part("0"));
    meeting.contribute(2, part("2"));
    meeting.run_out_of_time();
    EXPECT_TRUE(has(meeting.failure(), "rank 1 on node1 (pid 101) came"));
}

TEST(Meeting, LongListsAreCutShort) {
    Meeting meeting;
    for (int rank = 0; rank < 100; rank += 2) ASSERT_TRUE(meeting.admit(rank_of(rank, 100)).ok());
    meeting.contribute(0, part("0"));
    meeting.run_out_of_time();
    EXPECT_TRUE(has(meeting.failure(), "1, 3, 5, 7, 9, 11, 13, 15 and 42 more"))
        << meeting.failure().text();
}

TEST(Meeting, NonsenseIsNoContribution) {
    for (const std::string& bytes :
         {std::string(), part("a") + part("b"), std::string("\xff", 1)}) {
        Meeting meeting = full_meeting(2);
        meeting.contribute(0, bytes);
        EXPECT_TRUE(has(meeting.failure(), "nonsense"));
    }
    Meeting twice = full_meeting(2);
    twice.contribute(0, part("a"));
    twice.contribute(0, part("a"));
    EXPECT_TRUE(has(twice.failure(), "rank 0 on node0"));
}

TEST(Meeting, ARootWithoutRanksRefusesThem) {
    Meeting meeting;
    Introduction lost = rank_of(0, 2, 5);
    lost.root_index = 1;
    EXPECT_EQ(meeting.admit(lost).status().code(), xcclInvalidArgument);
    EXPECT_FALSE(meeting.has_begun());
}

}  // namespace
}  // namespace xccl
