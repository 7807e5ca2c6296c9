// One rank's end of a communicator: takes calls, plans them, gives them to the engine in order, and
// waits.
//
// The lock guards the engine and the queue. Its holder advances for everybody, and never holds it
// while asleep. A blocking call that finds nothing queued goes straight to the engine (run());
// everything else is Work in `queue_` until its stream has reached it.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "comm/call.h"
#include "comm/core_share.h"
#include "comm/failure_watch.h"
#include "comm/launcher.h"
#include "comm/links.h"
#include "comm/membership.h"
#include "comm/short_lock.h"
#include "comm/work.h"
#include "executor/engine.h"
#include "observe/recorder.h"

namespace xccl {

struct CommunicatorOptions {
    std::string name;
    int device = -1;
    int origin_rank = -1;  // of a split's child: this rank's number before any split
    int timeout_ms = 0;
    int init_timeout_ms = 60000;
    bool blocking = true;
    bool reproducible = false;
    std::string interfaces;
    int spin_us = 20;
    bool spread = true;
    int stall_warn_ms = 5000;
    bool mismatch_check = true;
};

class Communicator : public std::enable_shared_from_this<Communicator> {
  public:
    // More than one rank. See initialise.h.
    Communicator(CommunicatorOptions options, std::unique_ptr<Membership> membership,
                 std::unique_ptr<Links> links, std::unique_ptr<FailureWatch> failure_watch,
                 std::unique_ptr<Launcher> launcher);
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;
    Communicator(Communicator&&) = delete;
    Communicator& operator=(Communicator&&) = delete;
    ~Communicator();

    int rank() const { return membership_->rank; }
    int rank_count() const { return membership_->rank_count(); }
    const CommunicatorOptions& options() const { return options_; }
    const Membership& membership() const { return *membership_; }

    // Completes before it returns.
    Status run(const Call& call);
    // Queues; the work starts when its stream has set may_start.
    void issue(const std::shared_ptr<Work>& work);
    void wait(const Work& work);
    // Completes everything that was issued here.
    void drain();
    // The same on all ranks, which agree that nothing is left over: neither a call that differs
    // from another rank's, nor a message that nobody has received.
    Status finalize();

    // Does what can be done now, unless another thread is at it. True if anything moved.
    bool advance();
    // Has something unfinished.
    bool busy() const { return unfinished_.load(std::memory_order_relaxed) > 0; }
    // Looks at what only those look at who have waited: peers' lives, failures told by others,
    // deadlines, mismatches, stalls.
    void watch();
    // Sleeps until something may have come, at most `limit`.
    void sleep(std::chrono::microseconds limit);

    // What a rank at that place is in, though this rank has not called it; empty if nothing, or if
    // another thread holds the lock.
    std::string missed_call(const RankInfo& place);

    // The first failure; lock-free for the code.
    xcclResult_t failure_code() const { return failure_code_.load(std::memory_order_acquire); }
    Status failure() const;
    // Fails this rank and tells the others.
    void fail(const Status& failure);
    void abort();
    // Leaves in peace: peers will not take the silence for death.
    void leave();

    Result<std::string> explain(const Call& call);
    std::string dump();

  private:
    using Lock = std::unique_lock<ShortLock>;

    Result<Ticket> submit(const Call& call);
    void count_unfinished(int change) {
        unfinished_.store(unfinished_.load(std::memory_order_relaxed) + change,
                          std::memory_order_relaxed);
    }
    void submit_ready(const Lock&);
    void collect_done(const Lock&);
    bool carry(Carrier& carrier);
    void expect_from_blockage(Carrier& carrier);
    [[gnu::always_inline]] bool advance_locked(const Lock&);
    [[gnu::always_inline]] void begin_locked(Ticket, const Lock&);
    void settle_failure(const Lock& lock) {
        if (__builtin_expect(!engine_.status().ok() && failure_.ok(), 0)) settle_new_failure(lock);
    }
    void settle_new_failure(const Lock&);
    void distrust(const Lock& lock) {
        if (__builtin_expect(engine_.take_read_in_place(), 0)) distrust_peers(lock);
    }
    void distrust_peers(const Lock&);
    Status run_queued(const Call& call, Lock& lock);
    bool complete(Ticket ticket, Lock& lock);
    bool spin(Ticket ticket, const Lock&);
    bool look(Ticket ticket, int looks, const Lock&);
    bool yield(Ticket ticket, const Lock&);
    void watch_locked(const Lock&);
    void watch_peer(const Blockage& blockage, const Lock&);
    void watch_time(const Blockage& blockage, Clock::time_point now, const Lock&);
    void tell_missed_call(const Blockage& blockage, const Lock&);
    std::string missed_call(const RankInfo& place, const Lock&);
    bool has_left(int peer) const;
    void stop(const Status& cause);
    void withdraw_buffers();
    Status refuse(const Status& failure, const Lock&);
    Status with_place(const Status& cause) const;

    const CommunicatorOptions options_;
    const std::unique_ptr<Membership> membership_;
    const std::unique_ptr<Links> links_;
    const std::unique_ptr<FailureWatch> failure_watch_;
    const std::unique_ptr<Launcher> launcher_;
    const bool crowded_;  // more ranks live on this rank's cores than there are
    const Clock::duration longest_spin_;

    mutable ShortLock mutex_;
    CoreShare core_share_;
    Clock::duration spin_;             // how long the next wait spins
    std::uint32_t calls_unheard_ = 0;  // that were done before anything was read
    Engine engine_;
    FlightRecorder recorder_;
    std::deque<std::shared_ptr<Work>> queue_;    // issued, not submitted, in order
    std::deque<std::shared_ptr<Work>> running_;  // submitted, not done
    std::uint64_t moves_ = 0;                    // how often the engine moved
    Status failure_;                             // settled once
    Status cause_;                               // the same, without what this rank was in

    // Of the oldest operation, while it is blocked.
    OperationDescriptor oldest_;
    std::uint64_t finished_ = 0, finished_seen_ = 0;  // operations
    Clock::time_point oldest_since_{};
    std::uint64_t moves_seen_ = ~std::uint64_t{0};
    Clock::time_point moved_at_{};
    Clock::time_point last_mismatch_check_{};
    bool stall_told_ = false;
    bool missed_call_told_ = false;

    std::atomic<xcclResult_t> failure_code_{xcclSuccess};
    std::atomic<int> unfinished_{0};  // written under the lock, read by anybody
    std::atomic<bool> aborting_{false};
};

}  // namespace xccl
