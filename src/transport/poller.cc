#include "transport/poller.h"

#include <cerrno>
#include <utility>

#include "base/owned_descriptor.h"

namespace xccl {

Result<Poller> Poller::open() {
    Poller poller;
    poller.epoll_ = OwnedDescriptor(epoll_create1(EPOLL_CLOEXEC));
    if (!poller.epoll_) return descriptor_failure("waiting for peers", errno);
    return poller;
}

Status Poller::add(int descriptor, std::uint32_t events, std::uint64_t tag) {
    epoll_event event{.events = events, .data = {.u64 = tag}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
        return system_error("cannot wait for a peer: {}; see fs.epoll.max_user_watches",
                            errno_text("epoll_ctl", errno));
    }
    return ok_status();
}

void Poller::change(int descriptor, std::uint32_t events, std::uint64_t tag) {
    epoll_event event{.events = events, .data = {.u64 = tag}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::remove(int descriptor) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
}

std::span<const epoll_event> Poller::look() {
    const int count = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), 0);
    return {events_.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

}  // namespace xccl
