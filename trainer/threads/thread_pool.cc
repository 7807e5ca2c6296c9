#include "threads/thread_pool.h"

namespace xccl::trainer {

ThreadPool::ThreadPool(std::size_t thread_count) {
    workers_.reserve(thread_count);
    for (std::size_t thread = 1; thread < thread_count; ++thread) {
        workers_.emplace_back([this, thread] { work(thread); });
    }
}

ThreadPool::~ThreadPool() {
    stopping_.store(true, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_job(const Job& job) {
    job_ = job;
    next_tile_.store(0, std::memory_order_relaxed);
    if (job.tile_count < 2 || workers_.empty()) {
        take_tiles(0);
        return;
    }
    working_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);  // pairs with the load in work()
    generation_.notify_all();
    take_tiles(0);
    wait_for_workers();
}

void ThreadPool::work(std::size_t thread) {
    std::uint32_t seen = 0;
    for (;;) {
        generation_.wait(seen, std::memory_order_acquire);
        ++seen;  // no job begins before all workers have finished the one before
        if (stopping_.load(std::memory_order_relaxed)) return;
        take_tiles(thread);
        // Pairs with the loads in wait_for_workers(): what the tiles wrote is seen by who waits.
        if (working_.fetch_sub(1, std::memory_order_release) == 1) working_.notify_one();
    }
}

void ThreadPool::take_tiles(std::size_t thread) {
    for (;;) {
        const std::size_t tile = next_tile_.fetch_add(1, std::memory_order_relaxed);
        if (tile >= job_.tile_count) return;
        job_.call(job_.state, tile, thread);
        if (thread == 0 && poll_) poll_();
    }
}

void ThreadPool::wait_for_workers() {
    // Enough for the last tiles of threads that run; a thread that does not is waited for asleep.
    constexpr int kPolls = 100;
    for (int i = 0; poll_ && i < kPolls; ++i) {
        if (working_.load(std::memory_order_acquire) == 0) return;
        poll_();
        std::this_thread::yield();
    }
    for (;;) {
        const std::uint32_t working = working_.load(std::memory_order_acquire);
        if (working == 0) return;
        working_.wait(working, std::memory_order_acquire);
    }
}

}  // namespace xccl::trainer
