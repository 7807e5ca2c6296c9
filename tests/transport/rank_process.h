// Starts transport_rank and ends it with the test.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "base/deadline.h"

namespace xccl {

class RankProcess {
  public:
    explicit RankProcess(const std::vector<std::string>& arguments) {
        std::vector<char*> list{const_cast<char*>(TRANSPORT_RANK)};
        for (const auto& argument : arguments) list.push_back(const_cast<char*>(argument.c_str()));
        list.push_back(nullptr);
        pid_ = fork();
        if (pid_ == 0) {
            execv(TRANSPORT_RANK, list.data());
            _exit(127);
        }
    }
    RankProcess(const RankProcess&) = delete;
    RankProcess& operator=(const RankProcess&) = delete;
    ~RankProcess() {
        if (pid_ > 0 && !ended_) {
            kill(pid_, SIGKILL);
            wait();
        }
    }

    pid_t pid() const { return pid_; }
    // The exit code; 128 and more: ended by a signal.
    int wait() {
        int status = 0;
        waitpid(pid_, &status, 0);
        ended_ = true;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    bool ended() {
        int status = 0;
        ended_ = ended_ || waitpid(pid_, &status, WNOHANG) == pid_;
        return ended_;
    }

  private:
    pid_t pid_ = -1;
    bool ended_ = false;
};

// Looks until `condition` holds; false if it never does.
template <class Condition>
bool eventually(Condition&& condition, int patience_ms = 20000) {
    const Deadline deadline = Deadline::after_ms(patience_ms);
    while (!condition()) {
        if (deadline.passed()) return false;
        usleep(50);
    }
    return true;
}

}  // namespace xccl
