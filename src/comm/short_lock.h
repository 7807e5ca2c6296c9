// A lock for short work, whose release is a plain store.
//
// The unlock of a mutex is an atomic exchange, which waits until all earlier stores have reached
// their cache lines; after a message was published, whose line is in a peer's cache, that is the
// dearest instruction of a small operation (see perf/micro/api). Who finds the lock taken spins,
// yields, and then sleeps a little at a time, so that a holder without a core gets one.
//
// Satisfies Lockable.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "base/clock.h"

namespace xccl {

class ShortLock {
  public:
    bool try_lock() {
        // Acquire: pairs with the release of unlock().
        return !taken_.load(std::memory_order_relaxed) &&
               !taken_.exchange(true, std::memory_order_acquire);
    }
    void lock() {
        for (int turn = 0; !try_lock(); ++turn) {
            if (turn < kSpins) {
                relax();
            } else if (turn < kYields) {
                std::this_thread::yield();
            } else {
                std::this_thread::sleep_for(kNap);
            }
        }
    }
    void unlock() { taken_.store(false, std::memory_order_release); }

  private:
    static constexpr int kSpins = 100;
    static constexpr int kYields = 200;
    static constexpr std::chrono::microseconds kNap{50};

    std::atomic<bool> taken_{false};
};

}  // namespace xccl
