// Host streams and events: in-order queues of operations, waits and records.
//
// A stream does no work of its own: it tells the operation at its head that it may start, and
// forgets it when it is done. Progress is made by whoever waits (process.h).
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "base/status.h"

namespace xccl {

struct Work;

// A point in a stream. Each record makes a new one, so an event can be recorded again while
// somebody still waits for the last one.
struct EventPoint {
    std::atomic<bool> reached{false};
};

class HostStream {
  public:
    HostStream() = default;
    HostStream(const HostStream&) = delete;
    HostStream& operator=(const HostStream&) = delete;
    HostStream(HostStream&&) = delete;
    HostStream& operator=(HostStream&&) = delete;
    ~HostStream();

    void enqueue(std::shared_ptr<Work> work);
    void enqueue_wait(std::shared_ptr<EventPoint> point);
    void enqueue_record(std::shared_ptr<EventPoint> point);

    // Lets the head start and drops what is complete. True if the stream is empty now.
    bool advance();
    // The operation at the head, for whoever wants to know whom to wait for. May be null.
    std::shared_ptr<Work> head();

    // The first failure since the last call; success clears nothing else.
    Status take_failure();

    // Readable while the stream is empty; made at the first call.
    Result<int> poll_descriptor();

  private:
    struct Item {
        std::shared_ptr<Work> work;  // one of these three is set
        std::shared_ptr<EventPoint> wait_for;
        std::shared_ptr<EventPoint> record;
    };
    void push(Item item);
    bool complete(const Item& item);
    void signal_empty(bool empty);

    std::mutex mutex_;
    std::deque<Item> items_;
    Status failure_;
    int event_descriptor_ = -1;
};

}  // namespace xccl
