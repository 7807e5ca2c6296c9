#include "transport/liveness.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstddef>

#include "base/assert.h"
#include "transport/futex.h"

namespace xccl {
namespace {

// The entry that a list link points to starts with the link.
void** link_in(void* entry) {
    return static_cast<void**>(entry);
}

// What the kernel follows when this process dies, at whatever moment: each change of the list is
// one store, and the list is whole before and after.
void store_link(void** link, void* target) {
    __atomic_store_n(link, target, __ATOMIC_RELEASE);
}

}  // namespace

bool owner_died(const LifeWord& life) {
    // Acquire: what the owner stored before it died is seen.
    return life.word.load(std::memory_order_acquire) & FUTEX_OWNER_DIED;
}

LifeKeeper& LifeKeeper::of_this_process() {
    static LifeKeeper* const keeper = new LifeKeeper;  // never freed: its thread outlives main
    return *keeper;
}

// Registers the list, says so, and sleeps for ever. Takes no signals: they are the program's.
void* LifeKeeper::park(void* keeper_pointer) {
    auto* keeper = static_cast<LifeKeeper*>(keeper_pointer);
    // The C library has registered a list of its own for this thread, for robust mutexes; none is
    // ever locked here.
    const bool registered = syscall(SYS_set_robust_list, &keeper->head_, sizeof(Head)) == 0;
    const auto thread = registered ? static_cast<std::uint32_t>(syscall(SYS_gettid)) : UINT32_MAX;
    keeper->thread_.store(thread, std::memory_order_release);  // pairs with start()
    futex_wake_all(&keeper->thread_);
    if (!registered) return nullptr;
    while (true) futex_wait(&keeper->thread_, thread, std::chrono::hours(24));
}

Status LifeKeeper::start() {
    static_assert(sizeof(Head) == 24);
    head_ = {&head_, static_cast<long>(offsetof(LifeWord, word)), nullptr};
    thread_.store(0, std::memory_order_relaxed);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    constexpr std::size_t kStackBytes = 256 << 10;  // thread-local data of the program included
    pthread_attr_setstacksize(&attributes,
                              std::max<std::size_t>(kStackBytes, sysconf(_SC_THREAD_STACK_MIN)));
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread{};
    const int error = pthread_create(&thread, &attributes, park, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        return system_error(
            "cannot start the thread that tells peers of this process's death: {}; see the limit "
            "of processes (ulimit -u) and of the container (pids.max)",
            errno_text("pthread_create", error));
    }
    while (thread_.load(std::memory_order_acquire) == 0) {
        futex_wait(&thread_, 0, std::chrono::milliseconds(10));
    }
    if (thread_.load(std::memory_order_relaxed) == UINT32_MAX) {
        return system_error(
            "the kernel refuses set_robust_list, without which the death of a rank on this host "
            "cannot be seen; allow it in the sandbox");
    }
    process_.store(getpid(), std::memory_order_relaxed);
    return ok_status();
}

Status LifeKeeper::hold(LifeWord* life) {
    // Before the lock: a thread of the parent may have held it when this child was made.
    const int process = process_.load(std::memory_order_relaxed);
    if (process != 0 && process != getpid()) {
        return invalid_usage("a child of fork() cannot take part in its parent's communicators");
    }
    const std::lock_guard lock(mutex_);
    if (process_.load(std::memory_order_relaxed) == 0) XCCL_TRY(start());
    if (word_count_ == kMaxWords) {
        return system_error(
            "this process is in {} communicators that share memory, the most whose ends the kernel "
            "watches over; destroy some",
            kMaxWords);
    }
    life->word.store(thread_.load(std::memory_order_relaxed), std::memory_order_release);
    life->next = head_.first;
    store_link(&head_.first, life);
    ++word_count_;
    return ok_status();
}

void LifeKeeper::let_go(LifeWord* life) {
    if (process_.load(std::memory_order_relaxed) != getpid()) return;
    const std::lock_guard lock(mutex_);
    void** link = &head_.first;
    while (*link != life) {
        XCCL_ASSERT(*link != &head_);
        link = link_in(*link);
    }
    // The word first: if death comes in between, nobody takes this for one.
    life->word.store(0, std::memory_order_release);
    store_link(link, life->next);
    --word_count_;
}

}  // namespace xccl
