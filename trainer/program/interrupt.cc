#include "program/interrupt.h"

#include <signal.h>
#include <time.h>

#include <atomic>

namespace xccl::trainer {
namespace {

std::atomic<int> first_signal{0};
std::atomic<long> first_second{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<long>::is_always_lock_free);

// A terminal sends Ctrl-C to every process of the job, and a launcher hands it on again: what comes
// within two seconds of the first is the same wish.
constexpr long kSameWishSeconds = 2;

void note(int signal_number) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    int none = 0;
    if (first_signal.compare_exchange_strong(none, signal_number)) {
        first_second = now.tv_sec;
        return;
    }
    if (now.tv_sec - first_second < kSameWishSeconds) return;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void on_interrupt(void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

void watch_interrupts() {
    on_interrupt(note);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int interrupt_signal() {
    return first_signal.load();
}

void unwatch_interrupts() {
    on_interrupt(SIG_DFL);
}

}  // namespace xccl::trainer
