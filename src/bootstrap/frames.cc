#include "bootstrap/frames.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/assert.h"
#include "base/bytes.h"

namespace xccl {
namespace {

constexpr std::size_t kHeadBytes = 4 + 1;
constexpr std::size_t kReadBytes = 64 << 10;  // per system call

}  // namespace

FrameStream::FrameStream(OwnedDescriptor socket, std::size_t max_incoming)
    : socket_(std::move(socket)), max_incoming_(max_incoming) {}

void FrameStream::send(std::uint8_t kind, std::shared_ptr<const std::string> body) {
    XCCL_ASSERT(body->size() <= std::numeric_limits<std::uint32_t>::max());
    ByteWriter head;
    head.put(static_cast<std::uint32_t>(body->size())).put(kind);
    out_.push_back(std::make_shared<const std::string>(head.take()));
    if (!body->empty()) out_.push_back(std::move(body));
}

void FrameStream::send(std::uint8_t kind, std::string body) {
    send(kind, std::make_shared<const std::string>(std::move(body)));
}

Status FrameStream::flush() {
    while (!out_.empty()) {
        iovec parts[8];
        msghdr message{};
        message.msg_iov = parts;
        for (std::size_t i = 0; i < out_.size() && i < 8; ++i) {
            const std::size_t offset = i == 0 ? out_offset_ : 0;
            parts[i].iov_base = const_cast<char*>(out_[i]->data() + offset);
            parts[i].iov_len = out_[i]->size() - offset;
            ++message.msg_iovlen;
        }
        const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return ok_status();
        if (sent < 0) return remote_error("{}", errno_text("send", errno));
        out_offset_ += static_cast<std::size_t>(sent);
        while (!out_.empty() && out_offset_ >= out_.front()->size()) {
            out_offset_ -= out_.front()->size();
            out_.pop_front();
        }
    }
    return ok_status();
}

Result<std::optional<Frame>> FrameStream::receive() {
    for (;;) {
        Status failure;
        std::optional<Frame> frame = cut_frame(&failure);
        if (!failure.ok()) return failure;
        if (frame || ended_) return frame;
        bool got_any = false;
        XCCL_TRY(read_some(&got_any));
        if (!got_any && !ended_) return std::optional<Frame>();
    }
}

Status FrameStream::read_some(bool* got_any) {
    if (in_offset_ > 0) {
        in_.erase(0, in_offset_);
        in_offset_ = 0;
    }
    const std::size_t before = in_.size();
    in_.resize(before + kReadBytes);
    ssize_t count = 0;
    do {
        count = ::recv(fd(), in_.data() + before, kReadBytes, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    const int error = errno;
    in_.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
    *got_any = count > 0;
    // A reset is how a killed process ends a connection whose data it had not read.
    if (count == 0 || (count < 0 && error == ECONNRESET)) ended_ = true;
    if (count >= 0 || error == EAGAIN || error == ECONNRESET) return ok_status();
    return remote_error("{}", errno_text("recv", error));
}

std::optional<Frame> FrameStream::cut_frame(Status* failure) {
    ByteReader reader(std::string_view(in_).substr(in_offset_));
    const std::size_t size = reader.get<std::uint32_t>();
    const auto kind = reader.get<std::uint8_t>();
    if (!reader.good()) return std::nullopt;
    if (size > max_incoming_) {
        *failure = remote_error("a frame of {} bytes; at most {} are allowed", size, max_incoming_);
        return std::nullopt;
    }
    const std::string_view body = reader.raw(size);
    if (!reader.good()) return std::nullopt;
    in_offset_ += kHeadBytes + size;
    return Frame{kind, std::string(body)};
}

}  // namespace xccl
