// Who is alive: a word in shared memory that the kernel marks when the process behind it dies.
//
// A dying process releases its memory before it closes its files, so that sockets and process
// descriptors tell of its death only when all of it is torn down: tens of milliseconds per
// gigabyte. Robust futexes are released first. So each process keeps one in every segment that it
// maps, held by a thread that does nothing else (a robust futex dies with its *thread*, and the
// threads of a caller come and go).
//
// Costs: one parked thread per process, from the first segment on.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/status.h"

namespace xccl {

// In shared memory; zero bytes: held by nobody.
struct alignas(64) LifeWord {
    // The kernel's struct robust_list: the next held word of the owner, as the owner addresses it.
    // Nobody else reads it.
    void* next = nullptr;
    std::atomic<std::uint32_t> word{0};  // the keeper's thread id, and the kernel's flags
};
static_assert(sizeof(LifeWord) == 64);

// True once the process that held the word has died, or has replaced itself (exec), without
// letting go.
bool owner_died(const LifeWord& life);

// Holds the words of this process. Lives until the process ends, unharmed by exit() at any moment.
// A child of fork() has no keeper: there hold() fails and let_go() does nothing.
class LifeKeeper {
  public:
    static LifeKeeper& of_this_process();

    Status hold(LifeWord* life);
    // Before the word's memory goes away.
    void let_go(LifeWord* life);

    // The kernel follows no longer list when a thread dies.
    static constexpr int kMaxWords = 2048;

    LifeKeeper(const LifeKeeper&) = delete;
    LifeKeeper& operator=(const LifeKeeper&) = delete;
    LifeKeeper(LifeKeeper&&) = delete;
    LifeKeeper& operator=(LifeKeeper&&) = delete;

  private:
    LifeKeeper() = default;
    ~LifeKeeper() = default;
    Status start();
    static void* park(void* keeper);

    // The kernel's struct robust_list_head. A list entry is the LifeWord itself.
    struct Head {
        void* first;
        long futex_offset;
        void* pending;
    };

    std::mutex mutex_;
    Head head_{};
    int word_count_ = 0;
    std::atomic<int> process_{0};  // that the thread belongs to; 0: not started
    std::atomic<std::uint32_t> thread_{0};
};

}  // namespace xccl
