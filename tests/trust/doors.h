// Somebody who listens and lets in who knows the secret, in a thread of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/deadline.h"
#include "base/socket_address.h"
#include "trust/doorway.h"
#include "trust/wait.h"

namespace xccl {

inline Secret secret_of(std::uint8_t byte) {
    Secret secret;
    secret.fill(byte);
    return secret;
}

inline OwnedDescriptor listening_socket(SocketAddress address = *parse_address("127.0.0.1", 0)) {
    OwnedDescriptor socket(
        ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    EXPECT_EQ(bind(socket.get(), address.get(), address.length), 0);
    EXPECT_EQ(listen(socket.get(), SOMAXCONN), 0);
    return socket;
}

inline OwnedDescriptor connected_socket(const SocketAddress& address) {
    OwnedDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(socket.get(), address.get(), address.length), 0);
    return socket;
}

class Host {
  public:
    explicit Host(const Secret& secret, OwnedDescriptor listener = listening_socket())
        : listener_(std::move(listener)),
          doorway_(Doorway::open(listener_.get(), secret, Purpose::kControl,
                                 [](const std::string& hello) { return "re: " + hello; })
                       .value()),
          thread_([this] { receive(); }) {}
    ~Host() {
        stop_.store(true);
        thread_.join();
    }

    SocketAddress address() const { return *local_address(listener_.get()); }
    std::string next_hello() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(
            came_.wait_for(lock, std::chrono::seconds(20), [&] { return !guests_.empty(); }));
        if (guests_.empty()) return "nobody came";
        const std::string hello = guests_.front().hello;
        guests_.pop_front();
        return hello;
    }

  private:
    void receive() {
        while (wait_for(doorway_.fd(), POLLIN, Deadline::never(), &stop_).ok()) {
            auto guests = doorway_.advance();
            ASSERT_TRUE(guests.ok()) << guests.status().text();
            const std::lock_guard lock(mutex_);
            for (Guest& guest : *guests) guests_.push_back(std::move(guest));
            came_.notify_all();
        }
    }

    OwnedDescriptor listener_;
    Doorway doorway_;
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<Guest> guests_;
    std::thread thread_;
};

}  // namespace xccl
