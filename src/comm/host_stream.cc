#include "comm/host_stream.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "comm/process.h"
#include "comm/work.h"

namespace xccl {

HostStream::~HostStream() {
    if (!items_.empty()) stream_is_idle();
    if (event_descriptor_ >= 0) close(event_descriptor_);
}

void HostStream::enqueue(std::shared_ptr<Work> work) {
    push({std::move(work), nullptr, nullptr});
}
void HostStream::enqueue_wait(std::shared_ptr<EventPoint> point) {
    push({nullptr, std::move(point), nullptr});
}
void HostStream::enqueue_record(std::shared_ptr<EventPoint> point) {
    push({nullptr, nullptr, std::move(point)});
}

void HostStream::push(Item item) {
    const std::lock_guard lock(mutex_);
    const bool was_empty = items_.empty();
    if (was_empty) signal_empty(false);
    items_.push_back(std::move(item));
    if (was_empty) stream_is_busy();
}

bool HostStream::complete(const Item& item) {
    if (item.record) {
        item.record->reached.store(true, std::memory_order_release);
        return true;
    }
    if (item.wait_for) return item.wait_for->reached.load(std::memory_order_acquire);
    if (!item.work->done.load(std::memory_order_acquire)) {
        item.work->may_start.store(true, std::memory_order_release);
        return false;
    }
    if (!item.work->result.ok() && failure_.ok()) failure_ = item.work->result;
    return true;
}

bool HostStream::advance() {
    const std::lock_guard lock(mutex_);
    if (items_.empty()) return true;
    while (!items_.empty() && complete(items_.front())) items_.pop_front();
    if (!items_.empty()) return false;
    signal_empty(true);
    stream_is_idle();
    return true;
}

std::shared_ptr<Work> HostStream::head() {
    const std::lock_guard lock(mutex_);
    return items_.empty() ? nullptr : items_.front().work;
}

Status HostStream::take_failure() {
    const std::lock_guard lock(mutex_);
    return std::exchange(failure_, Status());
}

Result<int> HostStream::poll_descriptor() {
    const std::lock_guard lock(mutex_);
    if (event_descriptor_ < 0) {
        event_descriptor_ = eventfd(items_.empty() ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event_descriptor_ < 0) {
            return system_error("{}; raise the limit of open files (ulimit -n)",
                                errno_text("eventfd", errno));
        }
    }
    return event_descriptor_;
}

// The counter is 1 while the stream is empty, 0 otherwise.
void HostStream::signal_empty(bool empty) {
    if (event_descriptor_ < 0) return;
    std::uint64_t value = 1;
    const ssize_t moved = empty ? write(event_descriptor_, &value, sizeof value)
                                : read(event_descriptor_, &value, sizeof value);
    (void)moved;  // EAGAIN only if it is in that state already
}

}  // namespace xccl
