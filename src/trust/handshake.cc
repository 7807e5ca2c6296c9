#include "trust/handshake.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "trust/wait.h"

namespace xccl {
namespace {

constexpr std::uint32_t kMagic = 0x4c434358;  // "XCCL"
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kNonceBytes = 32;
constexpr std::size_t kGreetingBytes = 4 + 2 + 2 + kNonceBytes;
constexpr std::size_t kLengthBytes = 2;

std::string nonce() {
    std::string bytes(kNonceBytes, '\0');
    random_bytes(bytes.data(), bytes.size());
    return bytes;
}

std::string greeting(Purpose purpose) {
    return ByteWriter()
        .put(kMagic)
        .put(kVersion)
        .put(static_cast<std::uint16_t>(purpose))
        .raw(nonce())
        .take();
}

}  // namespace

Handshake::Handshake(int fd, const Secret& secret, Purpose purpose, bool is_client)
    : fd_(fd), key_(derive(secret, "handshake")), purpose_(purpose), is_client_(is_client) {}

Handshake Handshake::client(int fd, const Secret& secret, Purpose purpose, std::string hello) {
    XCCL_ASSERT(hello.size() <= kMaxHelloBytes);
    Handshake handshake(fd, secret, purpose, true);
    handshake.hello_ = std::move(hello);
    handshake.write(greeting(purpose));
    handshake.expect(Step::kChallenge, kNonceBytes);
    return handshake;
}

Handshake Handshake::server(int fd, const Secret& secret, Purpose purpose, Answer answer) {
    Handshake handshake(fd, secret, purpose, false);
    handshake.answer_ = std::move(answer);
    handshake.expect(Step::kGreeting, kGreetingBytes);
    return handshake;
}

Handshake::Progress Handshake::advance() {
    while (failure_.ok() && step_ != Step::kOver) {
        if (!flush()) return failure_.ok() ? Progress::kWantWrite : Progress::kFailed;
        if (!fill()) return failure_.ok() ? Progress::kWantRead : Progress::kFailed;
        step();
    }
    return failure_.ok() ? Progress::kDone : Progress::kFailed;
}

void Handshake::expect(Step step, std::size_t size) {
    step_ = step;
    wanted_ = size;
    in_.clear();
}

void Handshake::write(const std::string& bytes) {
    transcript_ += bytes;
    out_ += bytes;
}

Mac Handshake::proof(const std::string& payload, bool of_client) const {
    return mac_of(key_, of_client ? "client" : "server",
                  {bytes_of(transcript_), bytes_of(payload)});
}

void Handshake::write_payload(const std::string& payload) {
    const std::string message =
        ByteWriter().put(static_cast<std::uint16_t>(payload.size())).raw(payload).take();
    const Mac mac = proof(message, is_client_);
    write(message + std::string(mac.begin(), mac.end()));
}

bool Handshake::flush() {
    while (!out_.empty()) {
        const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return false;
        if (sent < 0) {
            fail(errno_text("send", errno));
            return false;
        }
        out_.erase(0, static_cast<std::size_t>(sent));
    }
    return true;
}

bool Handshake::fill() {
    while (in_.size() < wanted_) {
        char buffer[1024];
        const std::size_t room = std::min(sizeof buffer, wanted_ - in_.size());
        const ssize_t count = ::recv(fd_, buffer, room, MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return false;
        if (count <= 0) {
            fail(count == 0 || errno == ECONNRESET ? "the other side closed the connection"
                                                   : errno_text("recv", errno));
            return false;
        }
        in_.append(buffer, static_cast<std::size_t>(count));
    }
    return true;
}

void Handshake::step() {
    switch (step_) {
        case Step::kGreeting:
            return check_greeting();
        case Step::kChallenge:
            transcript_ += in_;
            write_payload(hello_);
            return expect(Step::kLength, kLengthBytes);
        case Step::kLength: {
            const std::size_t size = ByteReader(in_).get<std::uint16_t>();
            if (size > kMaxHelloBytes) return fail("the other side announces too much");
            const std::string head = in_;
            expect(Step::kPayload, kLengthBytes + size + sizeof(Mac));
            in_ = head;
            return;
        }
        case Step::kPayload:
            return take_payload();
        case Step::kLastWrite:
            return expect(Step::kOver, 0);
        case Step::kOver:
            return;
    }
}

void Handshake::check_greeting() {
    ByteReader reader(in_);
    const auto magic = reader.get<std::uint32_t>();
    const auto version = reader.get<std::uint16_t>();
    const auto purpose = reader.get<std::uint16_t>();
    if (magic != kMagic) return fail("a stranger that does not speak this protocol");
    if (version != kVersion) return fail(fmt::format("a peer of protocol version {}", version));
    if (purpose != static_cast<std::uint16_t>(purpose_)) {
        return fail(fmt::format("a peer that came for another purpose ({})", purpose));
    }
    transcript_ += in_;
    write(nonce());
    expect(Step::kLength, kLengthBytes);
}

void Handshake::take_payload() {
    const std::string message = in_.substr(0, in_.size() - sizeof(Mac));
    Mac mac;
    std::memcpy(mac.data(), in_.data() + message.size(), sizeof mac);
    if (!same_mac(mac, proof(message, !is_client_))) {
        return fail("the other side does not know the secret");
    }
    peer_hello_ = message.substr(kLengthBytes);
    transcript_ += in_;
    if (is_client_) return expect(Step::kOver, 0);
    const std::string reply = answer_(peer_hello_);
    XCCL_ASSERT(reply.size() <= kMaxHelloBytes);
    write_payload(reply);
    expect(Step::kLastWrite, 0);
}

void Handshake::fail(std::string text) {
    failure_ = remote_error("{}", text);
}

Status run_handshake(Handshake* handshake, int fd, Deadline deadline,
                     const std::atomic<bool>* abort) {
    for (;;) {
        switch (handshake->advance()) {
            case Handshake::Progress::kDone:
                return ok_status();
            case Handshake::Progress::kFailed:
                return handshake->failure();
            case Handshake::Progress::kWantRead:
                XCCL_TRY(wait_for(fd, POLLIN, deadline, abort));
                break;
            case Handshake::Progress::kWantWrite:
                XCCL_TRY(wait_for(fd, POLLOUT, deadline, abort));
                break;
        }
    }
}

}  // namespace xccl
