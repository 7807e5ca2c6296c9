// The time that measuring may take. Whoever measures works in short pieces and looks here between
// them, so that a slow or crowded machine ends it in time, too.
#pragma once

#include <functional>
#include <utility>

#include "base/clock.h"

namespace xccl {

class Stopwatch {
  public:
    using Now = std::function<Clock::time_point()>;
    explicit Stopwatch(Clock::duration budget, Now now = Clock::now)
        : now_(std::move(now)), start_(now_()), end_(start_ + budget) {}

    bool over() const { return now_() >= end_; }
    double elapsed_us() const { return microseconds_between(start_, now_()); }
    double left_us() const { return microseconds_between(now_(), end_); }

  private:
    static double microseconds_between(Clock::time_point from, Clock::time_point to) {
        return std::chrono::duration<double, std::micro>(to - from).count();
    }

    Now now_;
    Clock::time_point start_;
    Clock::time_point end_;
};

}  // namespace xccl
