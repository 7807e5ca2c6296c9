// Ends a run from anywhere: a failed call, a signal, a timeout. The first reason is kept; every
// communicator is aborted, so that all threads and all other processes come out of their calls.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "failure.h"
#include "xccl.h"

namespace xccl::perf {

class Stopper {
  public:
    Stopper() = default;
    Stopper(const Stopper&) = delete;
    Stopper& operator=(const Stopper&) = delete;
    Stopper(Stopper&&) = delete;
    Stopper& operator=(Stopper&&) = delete;
    ~Stopper() = default;

    // Aborts `comm` when the run is stopped; at once if it already is.
    void watch(xcclComm_t comm);
    // Destroys what is watched, unless it was aborted.
    void destroy_all();
    // Is called once, when the run is stopped. An empty one takes it back.
    void on_stop(std::function<void()> action);

    void stop(const Failure& reason);
    bool stopped() const { return stopped_.load(std::memory_order_acquire); }
    std::optional<Failure> reason() const;

    // What is timed for -T starts now.
    void start_phase() { phase_start_ns_.store(now_ns(), std::memory_order_relaxed); }
    double phase_seconds() const;

  private:
    static long long now_ns();

    mutable std::mutex mutex_;
    std::atomic<bool> stopped_{false};  // release: the reason is set before
    std::atomic<long long> phase_start_ns_{now_ns()};
    std::optional<Failure> reason_;
    std::vector<xcclComm_t> comms_;
    std::function<void()> action_;
};

}  // namespace xccl::perf
