// Goal: every tile is computed once and before run() returns, whatever the number of threads and
// tiles; what tiles wrote is seen afterwards; polling happens on the calling thread, between tiles.
// Method: counts per tile over many jobs, under the thread sanitizer too.
#include "threads/thread_pool.h"

#include <gtest/gtest.h>

namespace xccl::trainer {
namespace {

TEST(ThreadPool, ComputesEachTileOnce) {
    for (const std::size_t threads : {1, 2, 3, 8}) {
        ThreadPool pool(threads);
        EXPECT_EQ(pool.thread_count(), threads);
        for (const std::size_t tiles : {0, 1, 2, 7, 100}) {
            std::vector<int> computed(tiles);
            std::vector<int> foreign(tiles);
            pool.run(tiles, [&](std::size_t tile, std::size_t thread) {
                ++computed[tile];
                if (thread >= threads) ++foreign[tile];
            });
            EXPECT_EQ(computed, std::vector<int>(tiles, 1));
            EXPECT_EQ(foreign, std::vector<int>(tiles, 0));
        }
    }
}

TEST(ThreadPool, JobsFollowEachOther) {
    ThreadPool pool(3);
    std::vector<std::size_t> sums(16);
    for (std::size_t job = 0; job < 3000; ++job) {
        pool.run(sums.size(), [&](std::size_t tile, std::size_t) { sums[tile] += tile; });
    }
    for (std::size_t tile = 0; tile < sums.size(); ++tile) EXPECT_EQ(sums[tile], 3000 * tile);
}

// Threads have scratch memory of their own: one index is never in two tiles at the same time.
TEST(ThreadPool, AThreadIndexIsInOneTileAtATime) {
    ThreadPool pool(4);
    std::vector<std::atomic<int>> inside(4);
    std::atomic<int> collisions{0};
    for (int job = 0; job < 200; ++job) {
        pool.run(32, [&](std::size_t, std::size_t thread) {
            if (inside[thread].fetch_add(1) != 0) ++collisions;
            std::this_thread::yield();
            inside[thread].fetch_sub(1);
        });
    }
    EXPECT_EQ(collisions.load(), 0);
}

TEST(ThreadPool, PollsOnTheCallingThreadBetweenTiles) {
    for (const std::size_t threads : {1, 3}) {
        ThreadPool pool(threads);
        std::size_t polls = 0;
        std::size_t own_tiles = 0;
        std::size_t foreign_polls = 0;
        const auto caller = std::this_thread::get_id();
        pool.set_poll([&] {
            ++polls;
            if (std::this_thread::get_id() != caller) ++foreign_polls;
        });
        pool.run(100, [&](std::size_t, std::size_t thread) {
            if (thread == 0) ++own_tiles;
        });
        EXPECT_GE(polls, own_tiles);
        EXPECT_EQ(foreign_polls, 0U);
        if (threads == 1) {
            EXPECT_EQ(own_tiles, 100U);
        }
        pool.set_poll(nullptr);
        const std::size_t before = polls;
        pool.run(100, [](std::size_t, std::size_t) {});
        EXPECT_EQ(polls, before);
    }
}

}  // namespace
}  // namespace xccl::trainer
