// A point in time at which waiting ends. Made once where a wait begins and passed down by value, so
// that the phases of a long operation share one budget.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace xccl {

class Deadline {
  public:
    static Deadline after(std::chrono::milliseconds span) { return Deadline(Clock::now() + span); }
    static Deadline after_ms(std::int64_t span) { return after(std::chrono::milliseconds(span)); }
    static Deadline at(Clock::time_point time) { return Deadline(time); }
    // Far away, and yet not so far that adding to it would overflow.
    static Deadline never() { return after(std::chrono::hours(24 * 365 * 100)); }

    Clock::time_point time() const { return time_; }
    bool passed() const { return Clock::now() >= time_; }
    // Rounded up, so that whoever sleeps for it wakes after the deadline. Never negative.
    std::chrono::milliseconds remaining() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(time_ - Clock::now());
        return std::max(left, std::chrono::milliseconds(0));
    }
    // For poll() and epoll_wait(), at most `most`.
    int poll_timeout_ms(int most = 1000) const {
        return static_cast<int>(std::min<std::int64_t>(remaining().count(), most));
    }
    Deadline earlier(Deadline other) const { return Deadline(std::min(time_, other.time_)); }

  private:
    explicit Deadline(Clock::time_point time) : time_(time) {}
    Clock::time_point time_;
};

}  // namespace xccl
