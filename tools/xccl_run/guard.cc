#include "xccl_run/guard.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace xccl::run {
namespace {

// In the guard. Only what is safe after fork().
[[noreturn]] void watch(int life) {
    setpgid(0, 0);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);  // what ends or stops the job is not for us
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    char byte = 0;
    while (read(life, &byte, 1) < 0 && errno == EINTR) {
    }
    kill(0, SIGKILL);
    _exit(0);
}

}  // namespace

Result<Guard> Guard::start() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return system_error("{}", errno_text("pipe", errno));
    OwnedDescriptor theirs(ends[0]);
    Guard guard;
    guard.our_life_.reset(ends[1]);
    guard.process_ = fork();
    if (guard.process_ < 0) return system_error("{}", errno_text("fork", errno));
    if (guard.process_ == 0) {
        guard.our_life_.reset();
        watch(theirs.get());
    }
    setpgid(guard.process_, guard.process_);  // whoever comes first
    return guard;
}

void Guard::signal(int number) const {
    kill(-process_, number);
}

void Guard::end() {
    signal(SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace xccl::run
