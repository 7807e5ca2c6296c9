// Goal: the star connects all ranks of any exchange, outlives it, and fails with a reason.
#include <gtest/gtest.h>

#include "job.h"

namespace xccl {
namespace {

class MakeControlStar : public Job {};

TEST_F(MakeControlStar, ConnectsAllAndOutlivesTheExchange) {
    constexpr int kRanks = 5;
    new_ids();
    auto stars = in_threads(kRanks, [&](int rank) {
        auto exchange = join(ids_, rank, kRanks, soon(), nullptr).value();
        auto star = make_control_star(exchange.get(), soon(), nullptr, "lo");
        EXPECT_TRUE(star.ok()) << star.status().text();
        return star.ok() ? std::move(*star) : nullptr;
    });
    FailureNotice notice;
    notice.culprit_rank = 4;
    stars[3]->send_failure(notice);
    for (const std::size_t rank : {0, 1, 2, 4}) {
        EXPECT_TRUE(eventually([&] {
            const auto events = stars[rank]->poll();
            return !events.empty() && events[0].rank == 3 && events[0].notice.culprit_rank == 4;
        })) << rank;
    }
}

TEST_F(MakeControlStar, ACentreThatCannotListenTellsTheOthers) {
    new_ids();
    const auto results = in_threads(3, [&](int rank) {
        auto exchange = join(ids_, rank, 3, soon(), nullptr).value();
        return make_control_star(exchange.get(), soon(), nullptr, "no-such-interface").status();
    });
    EXPECT_EQ(results[0].code(), xcclSystemError);
    for (const int rank : {1, 2}) {
        EXPECT_EQ(results[static_cast<std::size_t>(rank)].code(), xcclRemoteError);
        EXPECT_TRUE(mentions(results[static_cast<std::size_t>(rank)], "rank 0 could not listen"));
    }
}

TEST_F(MakeControlStar, RanksThatDoNotCallAreNamed) {
    new_ids();
    const auto results = in_threads(4, [&](int rank) {
        auto exchange = join(ids_, rank, 4, soon(), nullptr).value();
        if (rank == 2) return exchange->all_gather("", soon()).status();  // and no more
        return make_control_star(exchange.get(), Deadline::after_ms(300), nullptr, "lo").status();
    });
    EXPECT_EQ(results[0].code(), xcclTimeout);
    EXPECT_TRUE(mentions(results[0], "ranks 2 did not call")) << results[0].text();
}

TEST_F(MakeControlStar, EndsByTheAbortWord) {
    new_ids();
    std::atomic<bool> abort{false};
    const auto results = in_threads(2, [&](int rank) {
        auto exchange = join(ids_, rank, 2, soon(), nullptr).value();
        if (rank == 1) {
            EXPECT_TRUE(exchange->all_gather("", soon()).ok());
            abort.store(true);
            return ok_status();
        }
        return make_control_star(exchange.get(), Deadline::never(), &abort, "lo").status();
    });
    EXPECT_EQ(results[0].code(), xcclInvalidUsage);
}

}  // namespace
}  // namespace xccl
