#include "run/crew.h"

#include <algorithm>
#include <numeric>
#include <thread>

namespace xccl::perf {
namespace {

// Before a thread sleeps. Barriers stand before timed loops, and a thread that has to be woken
// starts late; but where ranks outnumber CPUs, a thread that spins takes the place of the one that
// it waits for.
constexpr int kSpins = 200;

}  // namespace

Crew::Crew(int threads, const Processes* processes, Stopper* stopper)
    : processes_(processes), stopper_(stopper), slots_(static_cast<std::size_t>(threads)) {
    stopper_->on_stop([this] {
        generation_.fetch_add(1, std::memory_order_release);
        generation_.notify_all();
    });
}

void Crew::exchange() {
    std::vector<double> mine;
    for (const std::vector<double>& slot : slots_)
        mine.insert(mine.end(), slot.begin(), slot.end());
    if (mine.empty()) mine.push_back(0);  // a barrier
    result_ = processes_->gather(mine);
}

void Crew::wait_for(unsigned generation) const {
    for (int spin = 0; generation_.load(std::memory_order_acquire) == generation; ++spin) {
        if (spin < kSpins) {
            std::this_thread::yield();
        } else {
            generation_.wait(generation, std::memory_order_acquire);
        }
    }
}

std::vector<double> Crew::gather(int thread, std::span<const double> mine) {
    slots_[static_cast<std::size_t>(thread)].assign(mine.begin(), mine.end());
    const unsigned generation = generation_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads()) {
        exchange();
        arrived_.store(0, std::memory_order_relaxed);
        generation_.fetch_add(1, std::memory_order_release);
        generation_.notify_all();
    } else {
        wait_for(generation);
    }
    if (stopper_->stopped()) throw Failure(ExitCode::kInternalError, "stopped");
    return result_;
}

double Crew::combine(int thread, double value, Average how) {
    const std::vector<double> all = gather(thread, {&value, 1});
    switch (how) {
        case Average::kFirstRank:
            return all.front();
        case Average::kMin:
            return *std::min_element(all.begin(), all.end());
        case Average::kMax:
            return *std::max_element(all.begin(), all.end());
        default:
            return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    }
}

double Crew::sum(int thread, double value) {
    const std::vector<double> all = gather(thread, {&value, 1});
    return std::accumulate(all.begin(), all.end(), 0.0);
}

}  // namespace xccl::perf
