#include "trust/wait.h"

#include <cerrno>

namespace xccl {
namespace {

constexpr int kAbortLatencyMs = 20;  // how late a set abort word may be seen

bool aborted(const std::atomic<bool>* abort) {
    // Pairs with the release store of whoever aborts.
    return abort != nullptr && abort->load(std::memory_order_acquire);
}

}  // namespace

Status wait_for(int fd, short events, Deadline deadline, const std::atomic<bool>* abort) {
    for (;;) {
        if (aborted(abort)) return invalid_usage("aborted by this process");
        pollfd item{fd, events, 0};
        const int count =
            ::poll(&item, 1, deadline.poll_timeout_ms(abort ? kAbortLatencyMs : 1000));
        if (count > 0) return ok_status();
        if (count < 0 && errno != EINTR) return system_error("{}", errno_text("poll", errno));
        if (count == 0 && deadline.passed()) return timeout_error("the deadline passed");
    }
}

bool is_readable(int fd) {
    pollfd item{fd, POLLIN, 0};
    return ::poll(&item, 1, 0) > 0;
}

bool pause_for(int milliseconds, Deadline deadline, const std::atomic<bool>* abort) {
    const Deadline end = deadline.earlier(Deadline::after_ms(milliseconds));
    while (!end.passed()) {
        if (aborted(abort)) return false;
        ::poll(nullptr, 0, end.poll_timeout_ms(kAbortLatencyMs));
    }
    return !deadline.passed() && !aborted(abort);
}

}  // namespace xccl
