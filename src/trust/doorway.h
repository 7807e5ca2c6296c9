// Callers who have yet to prove who they are: bounded in number and in time, and of no other cost.
//
// Takes them in from a listening socket, advances their handshakes, and lets those through who know
// the secret. When there is no room, the one who has said nothing for longest makes room; he may
// call again. So garbage, silence and port scans delay the others by little and by nothing else.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/owned_descriptor.h"
#include "base/status.h"
#include "trust/handshake.h"

namespace xccl {

struct Guest {
    OwnedDescriptor socket;
    std::string hello;
};

class Doorway {
  public:
    // `listener` does not block and is the caller's.
    static Result<Doorway> open(int listener, const Secret& secret, Purpose purpose,
                                Handshake::Answer answer);
    Doorway(Doorway&&) = default;
    Doorway(const Doorway&) = delete;
    Doorway& operator=(const Doorway&) = delete;
    Doorway& operator=(Doorway&&) = delete;
    ~Doorway() = default;

    // Readable when advance() has something to do. Call it each kLookMs, too, while any() is true.
    int fd() const { return epoll_.get(); }
    static constexpr int kLookMs = 250;
    bool any() const { return !strangers_.empty(); }

    // Does what can be done now. Never blocks.
    //   system_error  no descriptor is left
    Result<std::vector<Guest>> advance();

  private:
    struct Stranger {
        OwnedDescriptor socket;
        Handshake handshake;
        Clock::time_point came;
        bool wants_write = false;
    };
    Doorway(int listener, const Secret& secret, Purpose purpose, Handshake::Answer answer)
        : listener_(listener), secret_(secret), purpose_(purpose), answer_(std::move(answer)) {}

    Status admit();
    void make_room();
    void watch(Stranger* stranger, bool wants_write, int operation);

    int listener_;
    Secret secret_;
    Purpose purpose_;
    Handshake::Answer answer_;
    OwnedDescriptor epoll_;
    std::deque<Stranger> strangers_;  // the oldest first
};

}  // namespace xccl
