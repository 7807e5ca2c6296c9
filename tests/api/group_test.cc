// Groups: nesting, several communicators driven by one thread, point-to-point beside collectives.

#include "world.h"

namespace xccl::test {
namespace {

TEST(Group, OneThreadDrivesAllRanks) {
    constexpr int kRanks = 4;
    constexpr std::size_t kCount = 5000;
    std::vector<xcclComm_t> comms(kRanks);
    ASSERT_OK(xcclCommInitAll(comms.data(), kRanks, nullptr));
    std::vector<std::vector<float>> send, recv(kRanks, std::vector<float>(kCount));
    for (int r = 0; r < kRanks; ++r) send.push_back(elements<float>(r, kCount));
    ASSERT_OK(xcclGroupStart());
    for (int r = 0; r < kRanks; ++r) {
        ASSERT_OK(xcclAllReduce(send[r].data(), recv[r].data(), kCount, xcclFloat32, xcclSum,
                                comms[r], nullptr));
    }
    ASSERT_OK(xcclGroupEnd());
    for (int r = 0; r < kRanks; ++r) {
        for (std::size_t i = 0; i < kCount; ++i) {
            float want = 0;
            for (int s = 0; s < kRanks; ++s) want += element<float>(s, i);
            ASSERT_EQ(recv[r][i], want);
        }
    }
    for (auto comm : comms) EXPECT_OK(xcclCommDestroy(comm));
}

TEST(Group, RanksOfOneThreadMeetInsideAGroup) {
    constexpr int kRanks = 3;
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    std::vector<xcclComm_t> comms(kRanks);
    ASSERT_OK(xcclGroupStart());
    for (int r = 0; r < kRanks; ++r) ASSERT_OK(xcclCommInitRank(&comms[r], kRanks, id, r));
    ASSERT_OK(xcclGroupEnd());
    for (int r = 0; r < kRanks; ++r) {
        int rank = -1, count = -1;
        EXPECT_OK(xcclCommUserRank(comms[r], &rank));
        EXPECT_OK(xcclCommCount(comms[r], &count));
        EXPECT_EQ(rank, r);
        EXPECT_EQ(count, kRanks);
        EXPECT_OK(xcclCommDestroy(comms[r]));
    }
}

TEST(Group, EveryoneExchangesWithEveryone) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{70001}}) {
        constexpr int kRanks = 5;
        with_ranks(kRanks, [&](int rank, xcclComm_t comm) {
            const auto own = elements<float>(rank, count);
            std::vector<std::vector<float>> got(kRanks, std::vector<float>(count, -1));
            ASSERT_OK(xcclGroupStart());
            ASSERT_OK(xcclGroupStart());  // nested: only the outermost end issues
            for (int peer = 0; peer < kRanks; ++peer) {
                ASSERT_OK(xcclSend(own.data(), count, xcclFloat32, peer, comm, nullptr));
            }
            ASSERT_OK(xcclGroupEnd());
            for (int peer = 0; peer < kRanks; ++peer) {
                ASSERT_OK(xcclRecv(got[peer].data(), count, xcclFloat32, peer, comm, nullptr));
            }
            ASSERT_OK(xcclGroupEnd());
            for (int peer = 0; peer < kRanks; ++peer)
                ASSERT_EQ(got[peer], elements<float>(peer, count));
        });
    }
}

TEST(Group, PointToPointBesideCollectives) {
    constexpr int kRanks = 3;
    constexpr std::size_t kCount = 40000;
    with_ranks(kRanks, [&](int rank, xcclComm_t comm) {
        const int next = (rank + 1) % kRanks, previous = (rank + kRanks - 1) % kRanks;
        const auto own = elements<float>(rank, kCount);
        std::vector<float> ring(kCount), sum(kCount), first(kCount);
        for (int turn = 0; turn < 5; ++turn) {
            ASSERT_OK(xcclGroupStart());
            ASSERT_OK(xcclSend(own.data(), kCount, xcclFloat32, next, comm, nullptr));
            ASSERT_OK(
                xcclAllReduce(own.data(), sum.data(), kCount, xcclFloat32, xcclSum, comm, nullptr));
            ASSERT_OK(xcclRecv(ring.data(), kCount, xcclFloat32, previous, comm, nullptr));
            ASSERT_OK(
                xcclBroadcast(own.data(), first.data(), kCount, xcclFloat32, 0, comm, nullptr));
            ASSERT_OK(xcclGroupEnd());
            ASSERT_EQ(ring, elements<float>(previous, kCount));
            ASSERT_EQ(first, elements<float>(0, kCount));
            for (std::size_t i = 0; i < kCount; ++i) {
                ASSERT_EQ(sum[i],
                          element<float>(0, i) + element<float>(1, i) + element<float>(2, i));
            }
        }
    });
}

TEST(Group, OneRankTalksToItself) {
    xcclComm_t comm;
    xcclUniqueId garbage = {};
    ASSERT_OK(xcclCommInitRank(&comm, 1, garbage, 0));  // the id of a rank alone is not looked at
    const auto own = elements<float>(1, 100);
    std::vector<float> got(100);
    ASSERT_OK(xcclGroupStart());
    ASSERT_OK(xcclSend(own.data(), own.size(), xcclFloat32, 0, comm, nullptr));
    ASSERT_OK(xcclRecv(got.data(), got.size(), xcclFloat32, 0, comm, nullptr));
    ASSERT_OK(xcclGroupEnd());
    EXPECT_EQ(got, own);
    ASSERT_OK(xcclCommDestroy(comm));
}

TEST(Group, EndWithoutStartIsAnError) {
    EXPECT_EQ(xcclGroupEnd(), xcclInvalidUsage);
    EXPECT_NE(last_error().find("xcclGroupStart"), std::string::npos);
}

}  // namespace
}  // namespace xccl::test
