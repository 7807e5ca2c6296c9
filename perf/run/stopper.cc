#include "run/stopper.h"

#include <utility>

namespace xccl::perf {

long long Stopper::now_ns() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

double Stopper::phase_seconds() const {
    return 1e-9 * static_cast<double>(now_ns() - phase_start_ns_.load(std::memory_order_relaxed));
}

void Stopper::watch(xcclComm_t comm) {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
        xcclCommAbort(comm);
        return;
    }
    comms_.push_back(comm);
}

void Stopper::destroy_all() {
    std::vector<xcclComm_t> comms;
    {
        const std::lock_guard lock(mutex_);
        comms.swap(comms_);
    }
    for (xcclComm_t comm : comms) xcclCommDestroy(comm);
}

void Stopper::on_stop(std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    action_ = std::move(action);
}

void Stopper::stop(const Failure& reason) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    reason_ = reason;
    stopped_.store(true, std::memory_order_release);
    for (xcclComm_t comm : comms_) xcclCommAbort(comm);
    comms_.clear();
    if (action_) action_();
}

std::optional<Failure> Stopper::reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
}

}  // namespace xccl::perf
