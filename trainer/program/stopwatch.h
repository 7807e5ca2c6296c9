// Seconds on the clock that only goes forward.
#pragma once

#include <chrono>

namespace xccl::trainer {

inline double now_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// Laps: each call tells the seconds since the one before.
class Stopwatch {
  public:
    double lap() {
        const double now = now_seconds();
        const double seconds = now - last_;
        last_ = now;
        return seconds;
    }

  private:
    double last_ = now_seconds();
};

}  // namespace xccl::trainer
