// The sockets of a rendezvous: one event loop, whose books are a Meeting.
//
// Root 0 of several sees the others as parties. Such a root calls root 0 as soon as its own first
// rank has come and told where that is; from then on it passes its ranks' parts up, the whole table
// down, and failures both ways.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/deadline.h"
#include "bootstrap/frames.h"
#include "bootstrap/meeting.h"
#include "trust/doorway.h"

namespace xccl {

class RootServer {
  public:
    // `listener` listens and does not block.
    static Result<std::unique_ptr<RootServer>> open(OwnedDescriptor listener, const Secret& secret);

    // Until the meeting is over, or `stop` is set and what was on its way has left. Holds `busy`
    // while it does anything but wait: whoever has it may look at, or close, every descriptor.
    void run(std::mutex* busy, const std::atomic<bool>* stop);

    // Ends run()'s wait. To be called with `busy` held, `stop` being set.
    void wake();

  private:
    struct Party {
        std::unique_ptr<FrameStream> stream{};  // null: gone
        int seat = 0;
        bool wants_write = false;
    };
    RootServer(OwnedDescriptor listener, const Secret& secret)
        : listener_(std::move(listener)), secret_(secret) {}

    void wait(std::mutex* busy);
    int wait_ms() const;
    bool is_over(bool stopping);
    void begin_to_stop();

    void admit_guests(std::mutex* busy, const std::atomic<bool>* stop);
    void receive_guest(Guest guest);
    void call_first_root(std::mutex* busy, const std::atomic<bool>* stop);
    void read_party(std::size_t index);
    void take_frame(Party* party, const Frame& frame);
    void read_uplink();
    void take_uplink_frame(const Frame& frame);
    void settle();  // what the books say now
    void tell_failure();
    void send_to_all(std::uint8_t kind, std::string body);
    void flush(std::size_t index);
    void watch(std::size_t index, bool wants_write, int operation);
    bool has_output() const;

    OwnedDescriptor listener_;
    const Secret secret_;
    OwnedDescriptor epoll_;
    std::unique_ptr<Doorway> doorway_;
    Meeting meeting_;
    // [0] is the way to root 0, if this is another; then those who came, in the order of coming.
    std::vector<Party> parties_;
    Server server_{this_process()};
    Server first_server_;            // root 0's, for another root
    bool is_uplink_waited_ = false;  // the table is on its way from root 0
    bool told_failure_ = false;
    Deadline gather_end_ = Deadline::never();
    Deadline end_ = Deadline::never();  // of everything
};

}  // namespace xccl
