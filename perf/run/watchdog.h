// A thread that sleeps, and wakes for signals, for -T and for the line of progress.
//
// Ctrl-C stops the run: all ranks come out of their calls, reports are closed, and the program ends
// by itself. If it cannot (a peer that never came keeps it in initialisation), or at a second
// signal, it is ended here; the system then takes back all that it held.
#pragma once

#include <atomic>
#include <thread>

#include "run/progress.h"
#include "run/stopper.h"

namespace xccl::perf {

// Signals are for the watchdog alone. Call it before any thread is started.
void block_signals();
// Returns when a signal to end arrives, or the time is over. For when there is no watchdog.
void wait_for_end_signal(int milliseconds);

class Watchdog {
  public:
    Watchdog(Stopper* stopper, Progress* progress, int timeout_s);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    Watchdog(Watchdog&&) = delete;
    Watchdog& operator=(Watchdog&&) = delete;

  private:
    void run();
    void act_on_signal(int signal);
    void act_on_time();

    Stopper* stopper_;
    Progress* progress_;
    int timeout_s_;
    std::atomic<bool> is_over_{false};  // relaxed: the join orders what follows
    int exit_code_ = 0;                 // of a run that was stopped from here
    int ticks_since_stop_ = 0;
    std::thread thread_;
};

}  // namespace xccl::perf
