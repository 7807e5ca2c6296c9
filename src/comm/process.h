// What all communicators of this process share: the list of them, so that whoever waits advances
// every runnable operation, and the worker that advances streams when nobody waits.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "topology/rank_info.h"

namespace xccl {

class Communicator;
class HostStream;

// Communicators and streams that may have something to advance. Weak: a list entry keeps nothing
// alive.
void enlist(const std::shared_ptr<Communicator>& comm);
void enlist(const std::shared_ptr<HostStream>& stream);  // the first one starts the worker

// A stream has got something into it, or has become empty: the worker sleeps while all are empty.
void stream_is_busy();
void stream_is_idle();

// How long a waiter sleeps at most: while others have something to do, and else. Who sleeps looks
// at the lives of its peers in between.
constexpr std::chrono::microseconds kShortSleep{100};
constexpr std::chrono::microseconds kLongSleep{2000};

// Advances every stream and communicator of this process once, skipping those that another thread
// is advancing. True if anything moved.
bool advance_all();

// Are there several streams with something in them, or communicators other than `self` with
// something to do?
bool others_busy(const Communicator* self);

// Looks at what the communicators of this process but `self` should know of too: a process that
// learns of a death in one of them may end at once, and then be taken for the cause in the others.
void watch_others(const Communicator* self);

// What a rank at that place is in on a communicator of this process other than `self`, though this
// process has not called it; empty if nothing.
std::string missed_call_elsewhere(const Communicator* self, const RankInfo& place);

// Advances everything until done() holds: spins, then yields, then sleeps on the doorbell of the
// communicator that focus() names (null: a short sleep).
void wait_until(const std::function<bool()>& done,
                const std::function<std::shared_ptr<Communicator>()>& focus);

// One word that the kernel wipes in a child of fork(); null until it is first asked for, and where
// there is no such memory.
inline std::atomic<const std::atomic<int>*> fork_canary{nullptr};
const std::atomic<int>* make_fork_canary();

// True in a child of fork(), where no communicator may be used.
inline bool in_forked_child() {
    const auto* canary = fork_canary.load(std::memory_order_acquire);
    if (__builtin_expect(canary == nullptr, 0)) canary = make_fork_canary();
    return canary != nullptr && canary->load(std::memory_order_relaxed) == 0;
}

}  // namespace xccl
