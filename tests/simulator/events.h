// Virtual time: what happens next.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace xccl::simulator {

using Time = std::uint64_t;  // virtual nanoseconds

class Events {
  public:
    using Action = std::function<void()>;

    Time now() const { return now_; }
    void after(Time delay, Action action) {
        heap_.push({now_ + delay, ++order_, std::move(action)});
    }
    bool empty() const { return heap_.empty(); }
    std::uint64_t happened() const { return happened_; }

    // Lets the next one happen. Of two at the same time, the one that was planned first.
    void step() {
        // The element is popped right away: moving its action out breaks no order.
        Event event = std::move(const_cast<Event&>(heap_.top()));
        heap_.pop();
        now_ = event.time;
        ++happened_;
        event.action();
    }

    void clear() { heap_ = {}; }

  private:
    struct Event {
        Time time;
        std::uint64_t order;
        Action action;
        bool operator<(const Event& other) const {
            return time != other.time ? time > other.time : order > other.order;
        }
    };
    std::priority_queue<Event> heap_;
    Time now_ = 0;
    std::uint64_t order_ = 0;
    std::uint64_t happened_ = 0;
};

}  // namespace xccl::simulator
