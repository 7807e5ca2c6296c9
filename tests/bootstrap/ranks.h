// Ranks of a job: threads of this process, or processes of their own.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl {

// Calls body(0) to body(count - 1), each in a thread; what they return, by rank. Elements of a
// std::vector<bool> would share words.
template <typename Body>
auto in_threads(int count, Body body) {
    using Element = decltype(body(0));
    using Stored = std::conditional_t<std::is_same_v<Element, bool>, char, Element>;
    std::vector<Stored> results(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < count; ++rank) {
        threads.emplace_back([&, rank] { results[static_cast<std::size_t>(rank)] = body(rank); });
    }
    for (std::thread& thread : threads) thread.join();
    return results;
}

// A child that runs `body` and exits with what it returns; killed, if it is still there, with this.
class ChildProcess {
  public:
    explicit ChildProcess(const std::function<int()>& body) {
        fflush(nullptr);
        pid_ = fork();
        if (pid_ == 0) _exit(body());
    }
    ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        wait();
    }

    pid_t pid() const { return pid_; }
    void kill() { ::kill(pid_, SIGKILL); }
    // The exit code; 128 and more: ended by a signal.
    int wait() {
        int status = 0;
        waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

  private:
    pid_t pid_ = -1;
};

// Long enough for whatever does end, on a busy machine too.
inline Deadline soon() {
    return Deadline::after_ms(20000);
}

inline std::size_t open_descriptors() {
    const auto all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

inline std::string this_host() {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    return name;
}

// A port that nobody listens on just now.
inline int free_port() {
    const OwnedDescriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(probe.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    return ntohs(address.sin_port);
}

inline bool mentions(const Status& status, const std::string& words) {
    return status.text().find(words) != std::string::npos;
}

// Looks until `condition` holds; false if it never does.
template <typename Condition>
bool eventually(Condition condition) {
    const Deadline deadline = soon();
    while (!condition()) {
        if (deadline.passed()) return false;
        usleep(200);
    }
    return true;
}

}  // namespace xccl
