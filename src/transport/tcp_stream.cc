#include "transport/tcp_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/assert.h"

namespace xccl {
namespace {

// What one call of read() takes, so that one busy stream does not starve the others.
constexpr std::size_t kMaxReadBytes = 1 << 20;

ssize_t send_pieces(int socket, std::span<iovec> pieces) {
    constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (pieces.size() == 1) return send(socket, pieces[0].iov_base, pieces[0].iov_len, kFlags);
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    return sendmsg(socket, &message, kFlags);
}

// One piece costs the kernel less than two.
ssize_t receive_pieces(int socket, const std::array<iovec, 2>& pieces) {
    if (pieces[0].iov_len == 0) return recv(socket, pieces[1].iov_base, pieces[1].iov_len, 0);
    if (pieces[1].iov_len == 0) return recv(socket, pieces[0].iov_base, pieces[0].iov_len, 0);
    return readv(socket, pieces.data(), static_cast<int>(pieces.size()));
}

Status broken(const char* call, int error) {
    return remote_error("{}", errno_text(call, error));
}

}  // namespace

TcpStream::TcpStream(OwnedDescriptor socket) : socket_(std::move(socket)), buffer_(kBufferBytes) {}

// ---- Out ------------------------------------------------------------------------------------

void TcpStream::push(FrameHeader header, const std::byte* payload,
                     const OperationDescriptor* operation) {
    XCCL_ASSERT(can_take());
    OutFrame& added = frame(sent_ + queued_);
    header.has_operation = operation != nullptr;
    std::memcpy(added.head.data(), &header, sizeof header);
    added.head_bytes = sizeof header;
    if (operation != nullptr) {
        std::memcpy(added.head.data() + sizeof header, operation, sizeof *operation);
        added.head_bytes += sizeof *operation;
    }
    added.payload = payload;
    added.payload_bytes = header.byte_count;
    if (payload != nullptr && added.payload_bytes <= kInlineBytes) {
        std::memcpy(added.head.data() + added.head_bytes, payload, added.payload_bytes);
        added.head_bytes += std::exchange(added.payload_bytes, 0);
    }
    queued_bytes_ += added.bytes();
    ++queued_;
}

Result<bool> TcpStream::write() {
    bool any = false;
    blocked_ = false;
    while (queued_ > 0) {
        std::array<iovec, 2 * kMaxQueuedFrames> pieces;
        std::size_t piece_count = 0;
        std::size_t skip = front_sent_;
        const auto add = [&](const std::byte* data, std::size_t bytes) {
            const std::size_t skipped = std::min(skip, bytes);
            skip -= skipped;
            if (bytes > skipped) {
                pieces[piece_count++] = {const_cast<std::byte*>(data) + skipped, bytes - skipped};
            }
        };
        for (std::size_t i = 0; i < queued_; ++i) {
            const OutFrame& out = frame(sent_ + i);
            add(out.head.data(), out.head_bytes);
            add(out.payload, out.payload_bytes);
        }
        const ssize_t count = send_pieces(socket_.get(), {pieces.data(), piece_count});
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            blocked_ = true;
            return any;
        }
        if (count < 0) return broken("send", errno);
        any = true;
        count_written(static_cast<std::size_t>(count));
    }
    return any;
}

void TcpStream::count_written(std::size_t bytes) {
    queued_bytes_ -= bytes;
    front_sent_ += bytes;
    while (queued_ > 0 && front_sent_ >= frame(sent_).bytes()) {
        front_sent_ -= frame(sent_).bytes();
        ++sent_;
        --queued_;
    }
}

FrameHeader TcpStream::header_of(const OutFrame& out) {
    FrameHeader header;
    std::memcpy(&header, out.head.data(), sizeof header);
    return header;
}

std::optional<FrameHeader> TcpStream::pop_sent() {
    if (sent_ == 0) return std::nullopt;
    const FrameHeader header = header_of(frame(0));
    queue_begin_ = (queue_begin_ + 1) % kMaxQueuedFrames;
    --sent_;
    return header;
}

// ---- In -------------------------------------------------------------------------------------

// Of a long payload no more is read than itself, and after it no more than a header: what follows
// is likely to be as long, and is to be read straight to where it belongs.
std::size_t TcpStream::bytes_ahead() const {
    if (missing_ > 0 && is_long()) return 0;
    const std::size_t space = buffer_.size() - buffer_end_;
    return missing_ == 0 && is_long() ? std::min(space, kMaxFrameHeadBytes) : space;
}

// A long payload ends it: who reads it may first say where the next one is to lie.
Result<bool> TcpStream::read(FrameReceiver& receiver) {
    bool any = false;
    for (std::size_t total = 0; total < kMaxReadBytes && !ended_;) {
        if (buffer_begin_ > 0) {  // what is left is less than a header
            std::memmove(buffer_.data(), buffer_.data() + buffer_begin_, buffered());
            buffer_end_ = buffered();
            buffer_begin_ = 0;
        }
        const std::array<iovec, 2> pieces = {
            {{destination_, missing_}, {buffer_.data() + buffer_end_, bytes_ahead()}}};
        const std::size_t room = pieces[0].iov_len + pieces[1].iov_len;
        const ssize_t count = receive_pieces(socket_.get(), pieces);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0) return broken("recv", errno);
        ended_ = count == 0;
        if (ended_) break;
        any = true;
        const auto bytes = static_cast<std::size_t>(count);
        const std::size_t direct = std::min(bytes, missing_);
        const bool ends_long = direct > 0 && direct == missing_ && is_long();
        destination_ += direct;
        missing_ -= direct;
        buffer_end_ += bytes - direct;
        total += bytes;
        XCCL_TRY(parse(receiver));
        if (bytes < room || ends_long) break;  // that was all, or enough
    }
    return any;
}

Status TcpStream::parse(FrameReceiver& receiver) {
    for (;;) {
        XCCL_ASSIGN(const bool complete, parse_one(receiver));
        if (!complete) return ok_status();
    }
}

// False when more bytes are needed.
Result<bool> TcpStream::parse_one(FrameReceiver& receiver) {
    if (!in_payload_) {
        if (buffered() < sizeof(FrameHeader)) return false;
        std::memcpy(&current_, buffer_.data() + buffer_begin_, sizeof current_);
        const std::size_t operation_bytes =
            current_.has_operation ? sizeof(OperationDescriptor) : 0;
        if (buffered() < sizeof current_ + operation_bytes) return false;
        XCCL_ASSIGN(destination_, receiver.accept(current_));
        operation_.reset();
        if (operation_bytes > 0) {
            operation_.emplace();
            std::memcpy(static_cast<void*>(&*operation_),
                        buffer_.data() + buffer_begin_ + sizeof current_, operation_bytes);
        }
        buffer_begin_ += sizeof current_ + operation_bytes;
        missing_ = current_.byte_count;
        if (current_.kind == FrameKind::kMessage) message_bytes_ = current_.byte_count;
        in_payload_ = true;
    }
    const std::size_t here = std::min(buffered(), missing_);
    if (here > 0) std::memcpy(destination_, buffer_.data() + buffer_begin_, here);
    destination_ += here;
    missing_ -= here;
    buffer_begin_ += here;
    if (missing_ > 0) return false;
    in_payload_ = false;
    receiver.complete(current_, operation_ ? &*operation_ : nullptr);
    return true;
}

}  // namespace xccl
