// Goal: an exchange over any all-gather that a caller brings; one that fails or does not gather is
// found out.
// Method: threads whose all-gather is a table behind a barrier.
#include <gtest/gtest.h>

#include <barrier>
#include <cstring>

#include "bootstrap/bootstrap.h"
#include "ranks.h"

namespace xccl {
namespace {

struct Table {
    explicit Table(int rank_count) : barrier(rank_count), blocks(rank_count) {}
    std::barrier<> barrier;
    std::vector<std::string> blocks;
};

struct Seat {
    Table* table;
    int rank;
};

int gather(void* context, const void* send, void* recv, std::size_t bytes) {
    const auto& [table, rank] = *static_cast<Seat*>(context);
    table->blocks[static_cast<std::size_t>(rank)].assign(static_cast<const char*>(send), bytes);
    table->barrier.arrive_and_wait();
    for (std::size_t i = 0; i < table->blocks.size(); ++i) {
        if (table->blocks[i].size() != bytes) return 17;
        std::memcpy(static_cast<char*>(recv) + i * bytes, table->blocks[i].data(), bytes);
    }
    table->barrier.arrive_and_wait();
    return 0;
}

TEST(ExchangeThrough, StringsOfAnyLengthReachAll) {
    for (const int rank_count : {1, 2, 5}) {
        Table table(rank_count);
        const auto secrets = in_threads(rank_count, [&](int rank) {
            Seat seat{&table, rank};
            auto exchange = exchange_through(gather, &seat, rank, rank_count).value();
            EXPECT_EQ(exchange->rank(), rank);
            EXPECT_EQ(exchange->rank_count(), rank_count);
            for (const std::size_t length : {0, 1, 1000}) {
                const auto all = exchange->all_gather(
                    std::string(length * static_cast<std::size_t>(rank), 'x'), Deadline::never());
                EXPECT_TRUE(all.ok()) << all.status().text();
                for (int other = 0; other < rank_count; ++other) {
                    EXPECT_EQ((*all)[static_cast<std::size_t>(other)].size(),
                              length * static_cast<std::size_t>(other));
                }
            }
            return exchange->secret();
        });
        for (const auto& secret : secrets) EXPECT_EQ(secret, secrets[0]);
    }
}

TEST(ExchangeThrough, OneThatFailsIsSaidSoAndFinal) {
    int calls = 0;
    const xcclAllGatherFn_t fails_later = [](void* context, const void* send, void* recv,
                                             std::size_t bytes) {
        std::memcpy(recv, send, bytes);
        return ++*static_cast<int*>(context) > 1 ? 42 : 0;
    };
    auto exchange = exchange_through(fails_later, &calls, 0, 1).value();
    const Status first = exchange->all_gather("x", Deadline::never()).status();
    EXPECT_EQ(first.code(), xcclRemoteError);
    EXPECT_TRUE(mentions(first, "42"));
    EXPECT_EQ(exchange->all_gather("x", Deadline::never()).status().text(), first.text());
    EXPECT_EQ(calls, 2);
}

TEST(ExchangeThrough, OneThatDoesNotGatherIsFoundOut) {
    const xcclAllGatherFn_t nothing = [](void*, const void*, void*, std::size_t) { return 0; };
    const Status status = exchange_through(nothing, nullptr, 1, 2).status();
    EXPECT_EQ(status.code(), xcclInvalidUsage);
    EXPECT_TRUE(mentions(status, "[nranks][bytes]"));
}

TEST(ExchangeThrough, WrongArgumentsAreRefused) {
    EXPECT_EQ(exchange_through(nullptr, nullptr, 0, 1).status().code(), xcclInvalidArgument);
    for (const auto& [rank, count] : {std::pair{-1, 2}, {2, 2}, {0, 0}, {0, 1 << 30}}) {
        EXPECT_EQ(exchange_through(gather, nullptr, rank, count).status().code(),
                  xcclInvalidArgument);
    }
}

}  // namespace
}  // namespace xccl
