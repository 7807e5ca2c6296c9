#include "run/watchdog.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "run/host.h"

namespace xccl::perf {
namespace {

constexpr long kTickNs = 250'000'000;
constexpr int kGraceTicks = 8;       // 2 s
constexpr int kEndSignal = SIGUSR2;  // from the destructor

sigset_t signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, kEndSignal}) sigaddset(&set, signal);
    return set;
}

}  // namespace

void block_signals() {
    const sigset_t set = signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void wait_for_end_signal(int milliseconds) {
    const sigset_t set = signals();
    const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
    sigtimedwait(&set, nullptr, &time);
}

Watchdog::Watchdog(Stopper* stopper, Progress* progress, int timeout_s)
    : stopper_(stopper), progress_(progress), timeout_s_(timeout_s), thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
    is_over_ = true;
    pthread_kill(thread_.native_handle(), kEndSignal);
    thread_.join();
    progress_->clear();
}

void Watchdog::run() {
    const sigset_t set = signals();
    const timespec tick{0, kTickNs};
    while (!is_over_) {
        const int signal = sigtimedwait(&set, nullptr, &tick);
        if (is_over_) return;
        if (signal > 0 && signal != kEndSignal) act_on_signal(signal);
        act_on_time();
    }
}

void Watchdog::act_on_signal(int signal) {
    if (exit_code_ != 0) _exit(exit_code_);  // asked twice
    exit_code_ = 128 + signal;
    progress_->clear();
    stopper_->stop(
        Failure(static_cast<ExitCode>(exit_code_),
                fmt::format("{}: interrupted by signal {}; all ranks end", host_name(), signal)));
}

void Watchdog::act_on_time() {
    if (exit_code_ != 0) {
        if (++ticks_since_stop_ < kGraceTicks) return;
        std::fputs(fmt::format("{}\n", stopper_->reason()->what()).c_str(), stderr);
        _exit(exit_code_);
    }
    if (timeout_s_ > 0 && !stopper_->stopped() && stopper_->phase_seconds() > timeout_s_) {
        exit_code_ = static_cast<int>(ExitCode::kTimeout);
        stopper_->stop(
            Failure(ExitCode::kTimeout, fmt::format("{}: Test timeout ({}s) {}:{}", host_name(),
                                                    timeout_s_, "watchdog.cc", __LINE__)));
    }
    progress_->show();
}

}  // namespace xccl::perf
