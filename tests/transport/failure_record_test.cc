// Goal: the first failure wins, whole, and long texts are cut.
// Method: threads race to publish; every reader must see the winner's words and nobody else's.
#include "transport/failure_record.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace xccl {
namespace {

TEST(FailureRecord, OneOfManyWins) {
    for (int round = 0; round < 200; ++round) {
        FailureRecord record;
        std::atomic<int> winners{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&, i] {
                const std::string text(static_cast<std::size_t>(100 * (i + 1)), char('a' + i));
                if (record.publish({.culprit_rank = i, .code = xcclRemoteError, .text = text})) {
                    winners.fetch_add(1);
                }
                while (!record.published()) std::this_thread::yield();
                const auto seen = record.read();
                ASSERT_TRUE(seen);
                const auto winner = static_cast<std::size_t>(seen->culprit_rank);
                EXPECT_EQ(seen->text, std::string(100 * (winner + 1), char('a' + winner)));
            });
        }
        for (auto& thread : threads) thread.join();
        EXPECT_EQ(winners.load(), 1);
    }
}

TEST(FailureRecord, LongTextsAreCut) {
    FailureRecord record;
    EXPECT_FALSE(record.read());
    EXPECT_TRUE(record.publish({.code = xcclTimeout, .text = std::string(10000, 'x')}));
    EXPECT_EQ(record.read()->text.size(), kMaxErrorTextBytes);
    EXPECT_EQ(record.read()->code, xcclTimeout);
}

}  // namespace
}  // namespace xccl
