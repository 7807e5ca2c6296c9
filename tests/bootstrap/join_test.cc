// Goal: all ranks meet, or every one of them learns why not, by name; nothing is left behind.
// Method: ranks as threads and as processes; one of them is missing, dies, gives up, or is aborted.
#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <set>

#include "job.h"

namespace xccl {
namespace {

class Join : public Job {};

// ---- All is well ----------------------------------------------------------------------------

TEST_F(Join, AnyNumberOfRanksMeets) {
    for (const int rank_count : {1, 2, 3, 8, 17}) expect_all_meet(new_ids(), rank_count);
}

TEST_F(Join, SeveralRootsShareTheLoad) {
    for (const auto& [ranks, roots] : {std::pair{2, 2}, {8, 3}, {13, 5}, {16, 2}}) {
        expect_all_meet(new_ids(roots), ranks);
    }
}

TEST_F(Join, RootsThatNobodyNeedsEnd) {
    expect_all_meet(new_ids(5), 2);
    expect_all_meet(new_ids(2), 1);
}

TEST_F(Join, RanksMeetOverIpV6) {
    const auto id = create_root_at("[::1]:0", make_secret());
    if (!id.ok()) GTEST_SKIP() << id.status().text();
    expect_all_meet({*id}, 3);
}

TEST_F(Join, TheSecretIsSharedAndNew) {
    const auto secret_of = [&](int rank) {
        auto exchange = join(ids_, rank, 2, soon(), nullptr).value();
        EXPECT_TRUE(exchange->all_gather("", soon()).ok());
        return exchange->secret();
    };
    std::set<Secret> secrets;
    for (int round = 0; round < 2; ++round) {
        new_ids();
        const auto pair = in_threads(2, secret_of);
        EXPECT_EQ(pair[0], pair[1]);
        secrets.insert(pair[0]);
        secrets.insert(rendezvous().secret);
    }
    EXPECT_EQ(secrets.size(), 4u);
}

TEST_F(Join, LargePartsTravelWhole) {
    new_ids(2);
    const auto results = in_threads(5, [&](int rank) {
        auto exchange = join(ids_, rank, 5, soon(), nullptr).value();
        const std::string mine(kMaxGatherBytes, static_cast<char>('a' + rank));
        const auto all = exchange->all_gather(mine, soon());
        return all.ok() && (*all)[4] == std::string(kMaxGatherBytes, 'e') && (*all)[1][7] == 'b';
    });
    EXPECT_EQ(results, std::vector<char>(5, 1));
}

TEST_F(Join, SixtyFourProcessesMeet) {
    new_ids();
    std::vector<ChildProcess> ranks;
    for (int rank = 0; rank < 64; ++rank) {
        ranks.emplace_back([&, rank] { return take_part(ids_, rank, 64).ok() ? 0 : 1; });
    }
    for (ChildProcess& rank : ranks) EXPECT_EQ(rank.wait(), 0);
}

TEST_F(Join, ARootMayComeLaterWhereThePortWasAgreedOn) {
    const Secret secret = make_secret();
    const auto probe = create_root_at("127.0.0.1:0", secret);
    ASSERT_TRUE(probe.ok());
    const std::string endpoint = endpoint_text(unpack_id(*probe)->addresses[0]);
    end_root(*probe);
    ASSERT_TRUE(eventually([] { return live_root_count() == 0; }));
    const Ids ids = {id_of_root_at(endpoint, secret).value()};
    std::thread late([&] { EXPECT_TRUE(create_root_at(endpoint, secret).ok()); });
    expect_all_meet(ids, 3);
    late.join();
}

// ---- Wrong calls ----------------------------------------------------------------------------

TEST_F(Join, NumbersOutsideTheirRangeAreRefused) {
    new_ids();
    for (const auto& [rank, count] :
         {std::pair{-1, 2}, {2, 2}, {0, 0}, {0, -3}, {0, 1 << 30}, {1 << 30, 4}}) {
        EXPECT_EQ(join(ids_, rank, count, soon(), nullptr).status().code(), xcclInvalidArgument);
    }
    EXPECT_EQ(join({}, 0, 2, soon(), nullptr).status().code(), xcclInvalidArgument);
    end_root(ids_[0]);
}

TEST_F(Join, ADamagedIdIsRefused) {
    new_ids(2);
    Ids damaged = ids_;
    damaged[1].internal[20] ^= 4;
    const Status status = join(damaged, 0, 4, soon(), nullptr).status();
    EXPECT_EQ(status.code(), xcclInvalidArgument);
    EXPECT_TRUE(mentions(status, "damaged"));
    for (const xcclUniqueId& id : ids_) end_root(id);
}

TEST_F(Join, AnIdIsGoodForOneCommunicator) {
    expect_all_meet(new_ids(), 2);
    for (const int rank : {0, 1}) {
        const Status again = join(ids_, rank, 2, soon(), nullptr).status();
        EXPECT_EQ(again.code(), xcclInvalidUsage);
        EXPECT_TRUE(mentions(again, "used before"));
    }
    // Even if this process has not been that rank.
    ASSERT_TRUE(eventually([] { return live_root_count() == 0; }));
    EXPECT_EQ(join(ids_, 2, 3, soon(), nullptr).status().code(), xcclInvalidUsage);
}

TEST_F(Join, AnIdWhoseMakerHasGoneSaysSo) {
    new_ids();
    end_root(ids_[0]);
    ASSERT_TRUE(eventually([] { return live_root_count() == 0; }));
    const Status status = join(ids_, 0, 2, Deadline::never(), nullptr).status();
    EXPECT_EQ(status.code(), xcclRemoteError);
    EXPECT_TRUE(mentions(status, "the process that made the unique id has ended"));
}

TEST_F(Join, WhoMeansAnotherCommunicatorIsRefusedAndTheRestMeet) {
    new_ids();
    auto first = join(ids_, 0, 3, soon(), nullptr);  // now there are three
    ASSERT_TRUE(first.ok());
    const Status size = join(ids_, 1, 4, soon(), nullptr).status();
    EXPECT_EQ(size.code(), xcclInvalidUsage);
    EXPECT_TRUE(mentions(size, "4 ranks") && mentions(size, "one of 3"));
    const Status twin = join(ids_, 0, 3, soon(), nullptr).status();
    EXPECT_EQ(twin.code(), xcclInvalidUsage);
    const auto results = in_threads(3, [&](int rank) {
        auto exchange = rank == 0 ? std::move(first) : join(ids_, rank, 3, soon(), nullptr);
        if (!exchange.ok()) return exchange.status();
        return (*exchange)->all_gather("", soon()).status();
    });
    for (const Status& result : results) EXPECT_TRUE(result.ok()) << result.text();
}

TEST_F(Join, ARankIsClaimedOnce) {
    new_ids();
    constexpr int kWell = 0, kRefused = 3;
    const auto claim = [&] {
        auto exchange = join(ids_, 1, 2, soon(), nullptr);
        if (!exchange.ok()) {
            return mentions(exchange.status(), "rank 1 is claimed twice") ? kRefused : 1;
        }
        return (*exchange)->all_gather("", soon()).ok() ? kWell : 2;
    };
    ChildProcess one(claim), other(claim);
    // The one who is refused goes first; only then do the two who meet.
    auto mine = join(ids_, 0, 2, soon(), nullptr);
    ASSERT_TRUE(mine.ok());
    siginfo_t first{};
    ASSERT_EQ(waitid(P_ALL, 0, &first, WEXITED | WNOWAIT), 0);
    ChildProcess& refused = first.si_pid == one.pid() ? one : other;
    ChildProcess& well = first.si_pid == one.pid() ? other : one;
    EXPECT_EQ(refused.wait(), kRefused);
    EXPECT_TRUE((*mine)->all_gather("", soon()).ok());
    EXPECT_EQ(well.wait(), kWell);
    mine->reset();
}

// ---- Ranks that fail ------------------------------------------------------------------------

TEST_F(Join, MissingRanksAreNamedToAll) {
    for (const int roots : {1, 2}) {
        new_ids(roots);
        const auto results = in_threads(4, [&](int i) {
            const int rank = i < 2 ? i : i + 1;  // not 2, and not 5
            return take_part(ids_, rank, 6, Deadline::after_ms(300));
        });
        for (const Status& result : results) {
            EXPECT_EQ(result.code(), xcclTimeout);
            EXPECT_TRUE(mentions(result, "2, 5;") ||
                        (roots == 2 && mentions(result, "did not come")))
                << result.text();
        }
        for (const xcclUniqueId& id : ids_) end_root(id);
    }
}

TEST_F(Join, ADeadRankIsNamedToAllAtOnce) {
    for (const int roots : {1, 3}) {
        new_ids(roots);
        ChildProcess victim([&]() -> int {
            auto exchange = join(ids_, 3, 4, soon(), nullptr);
            if (!(*exchange)->all_gather("", soon()).ok()) return 1;
            for (;;) pause();
        });
        const std::string name = fmt::format("rank 3 on {} (pid {})", this_host(), victim.pid());
        const auto results = in_threads(3, [&](int rank) {
            auto exchange = join(ids_, rank, 4, soon(), nullptr);
            XCCL_TRY(exchange);
            XCCL_TRY((*exchange)->all_gather("", soon()));
            if (rank == 0) victim.kill();
            const auto start = Clock::now();
            const Status status = (*exchange)->all_gather("", Deadline::never()).status();
            EXPECT_LT(Clock::now() - start, std::chrono::seconds(1));  // demanded
            return status;
        });
        for (const Status& result : results) {
            EXPECT_EQ(result.code(), xcclRemoteError);
            EXPECT_TRUE(mentions(result, name)) << result.text();
        }
        for (const xcclUniqueId& id : ids_) end_root(id);
    }
}

TEST_F(Join, TheDeathOfTheRootsProcessIsNamed) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const OwnedDescriptor from_root(ends[0]);
    OwnedDescriptor to_us(ends[1]);
    ChildProcess maker([&]() -> int {
        const xcclUniqueId id = create_root().value();
        if (write(to_us.get(), &id, sizeof id) != sizeof id) return 1;
        auto exchange = join({&id, 1}, 0, 3, soon(), nullptr);
        if (!(*exchange)->all_gather("", soon()).ok()) return 1;
        for (;;) pause();
    });
    to_us.reset();
    ids_.resize(1);
    ASSERT_EQ(read(from_root.get(), ids_.data(), sizeof ids_[0]), ssize_t{sizeof ids_[0]});
    const auto results = in_threads(2, [&](int i) {
        auto exchange = join(ids_, i + 1, 3, soon(), nullptr);
        XCCL_TRY(exchange);
        XCCL_TRY((*exchange)->all_gather("", soon()));
        if (i == 0) maker.kill();
        return (*exchange)->all_gather("", Deadline::never()).status();
    });
    for (const Status& result : results) {
        EXPECT_EQ(result.code(), xcclRemoteError);
        EXPECT_TRUE(
            mentions(result, fmt::format("rank 0 on {} (pid {})", this_host(), maker.pid())))
            << result.text();
    }
}

TEST_F(Join, ARankThatGivesUpIsNamed) {
    new_ids();
    std::latch arrived(3);  // whoever comes after all have left again is told just that
    const auto results = in_threads(3, [&](int rank) {
        auto exchange = join(ids_, rank, 3, soon(), nullptr);
        arrived.arrive_and_wait();
        XCCL_TRY(exchange);
        return rank == 0 ? ok_status() : (*exchange)->all_gather("", soon()).status();
    });
    EXPECT_TRUE(results[0].ok()) << results[0].text();
    for (const Status& result : {results[1], results[2]}) {
        EXPECT_EQ(result.code(), xcclRemoteError);
        EXPECT_TRUE(mentions(result, "rank 0 on")) << result.text();
        EXPECT_TRUE(mentions(result, "gave up")) << result.text();
    }
}

TEST_F(Join, AnAbortEndsTheWaitAndIsToldToTheOthers) {
    new_ids();
    std::atomic<bool> abort{false};
    const auto results = in_threads(2, [&](int rank) {
        auto exchange = join(ids_, rank, 3, soon(), rank == 0 ? &abort : nullptr);
        XCCL_TRY(exchange);
        if (rank == 0) abort.store(true);
        return (*exchange)->all_gather("", Deadline::never()).status();
    });
    EXPECT_EQ(results[0].code(), xcclInvalidUsage);
    EXPECT_TRUE(mentions(results[0], "aborted"));
    EXPECT_EQ(results[1].code(), xcclRemoteError);
    EXPECT_TRUE(mentions(results[1], "rank 0 on") && mentions(results[1], "aborted"))
        << results[1].text();
    end_root(ids_[0]);
}

TEST_F(Join, AFailureIsFinal) {
    new_ids();
    auto exchange = join(ids_, 0, 2, soon(), nullptr).value();
    const Status first = exchange->all_gather("", Deadline::after_ms(1)).status();
    EXPECT_EQ(first.code(), xcclTimeout);
    EXPECT_EQ(exchange->all_gather("", soon()).status().text(), first.text());
    // Who comes late learns of it.
    EXPECT_TRUE(mentions(join(ids_, 1, 2, soon(), nullptr).status(), "did not come in time: 1"));
}

TEST_F(Join, WhoBringsTooMuchFailsAlone) {
    new_ids();
    auto exchange = join(ids_, 0, 2, soon(), nullptr).value();
    const std::string much(kMaxGatherBytes + 1, 'x');
    EXPECT_EQ(exchange->all_gather(much, soon()).status().code(), xcclInternalError);
    exchange.reset();
    end_root(ids_[0]);
}

}  // namespace
}  // namespace xccl
