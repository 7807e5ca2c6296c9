#include "xccl_run/input_relay.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace xccl::run {

Result<InputRelay> InputRelay::start() {
    InputRelay relay;
    if (isatty(STDIN_FILENO) == 0) return relay;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return system_error("{}", errno_text("pipe", errno));
    relay.reader_.reset(ends[0]);
    relay.writer_.reset(ends[1]);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    return relay;
}

int InputRelay::for_rank_0() const {
    return reader_ ? reader_.get() : STDIN_FILENO;
}

int InputRelay::wants_read() const {
    // In the background, reading would stop us.
    const bool may_read =
        writer_ && !ended_ && pending_.empty() && tcgetpgrp(STDIN_FILENO) == getpgrp();
    return may_read ? STDIN_FILENO : -1;
}

int InputRelay::wants_write() const {
    return pending_.empty() ? -1 : writer_.get();
}

void InputRelay::read_some() {
    char bytes[4096];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count > 0) pending_.assign(bytes, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        ended_ = true;
        writer_.reset();
    }
}

void InputRelay::write_some() {
    const ssize_t count = write(writer_.get(), pending_.data(), pending_.size());
    if (count > 0) pending_.erase(0, static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) {  // rank 0 does not listen
        ended_ = true;
        pending_.clear();
        writer_.reset();
    }
}

}  // namespace xccl::run
