// epoll, with a word of the caller's for each descriptor.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl {

class Poller {
  public:
    static Result<Poller> open();

    int descriptor() const { return epoll_.get(); }
    Status add(int descriptor, std::uint32_t events, std::uint64_t tag);
    void change(int descriptor, std::uint32_t events, std::uint64_t tag);
    // Before the descriptor is closed: a child of fork() may keep what is behind it open.
    void remove(int descriptor);

    // What has happened, without waiting; at most as many as fit, the others next time.
    std::span<const epoll_event> look();

  private:
    OwnedDescriptor epoll_;
    std::array<epoll_event, 64> events_{};
};

}  // namespace xccl
