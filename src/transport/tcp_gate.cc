#include "transport/tcp_gate.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/owned_descriptor.h"
#include "trust/wait.h"

namespace xccl {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxStrangers = 128;
constexpr milliseconds kStrangerPatience{5000};
constexpr milliseconds kCrowdPatience{1000};  // the same when there is no room for more
constexpr int kMaxAdmissions = 32;            // at a time
constexpr int kMaxTries = 40;
constexpr int kMaxRefusals = 4;
constexpr milliseconds kFirstPause{10}, kLongestPause{500};

std::uint32_t interest(TcpHelloExchange::Outcome outcome) {
    return outcome == TcpHelloExchange::Outcome::kWantsWrite ? EPOLLOUT : EPOLLIN;
}

}  // namespace

TcpGate::TcpGate(const TcpHelloTerms& terms, std::unique_ptr<TcpListener> listener, Options options,
                 Poller* poller, std::uint64_t tag)
    : terms_(terms),
      listener_(std::move(listener)),
      options_(options),
      poller_(poller),
      tag_(tag) {}

Status TcpGate::watch() {
    for (const auto& socket : listener_->sockets()) {
        XCCL_TRY(poller_->add(socket.get(), EPOLLIN, tag_));
    }
    return ok_status();
}

void TcpGate::drop(OwnedDescriptor* socket) {
    if (*socket) poller_->remove(socket->get());
    socket->reset();
}

// Small messages leave at once; a machine that vanishes is noticed within a minute.
void TcpGate::prepare(int socket) const {
    const int on = 1, idle_s = 20, interval_s = 10, probes = 4;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    const int bytes = options_.send_buffer_bytes;
    if (bytes > 0) setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

// ---- Calling --------------------------------------------------------------------------------

Status TcpGate::call(int peer, const std::vector<std::string>& endpoints) {
    if (endpoints.empty()) return internal_error("rank {} has told no endpoint", peer);
    for (int index = 0; index < terms_.stream_count; ++index) {
        const std::string& endpoint = endpoints[static_cast<std::size_t>(index) % endpoints.size()];
        XCCL_ASSIGN(const SocketAddress address, parse_endpoint(endpoint));
        calls_.push_back({.peer = peer,
                          .index = index,
                          .endpoint = endpoint,
                          .address = address,
                          .give_up = Deadline::after(options_.connect_timeout),
                          .next_try = Deadline::after_ms(0)});
    }
    return ok_status();
}

Status TcpGate::open(Call* call) {
    OwnedDescriptor socket(
        ::socket(call->address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return descriptor_failure("a connection to a peer", errno);
    prepare(socket.get());
    call->connected = false;
    call->hello = TcpHelloExchange::call(&terms_, call->peer, call->index);
    ++call->tries;
    if (connect(socket.get(), call->address.get(), call->address.length) != 0 &&
        errno != EINPROGRESS && errno != EINTR) {
        retry_later(call, errno_text("connect", errno));
        return ok_status();
    }
    XCCL_TRY(poller_->add(socket.get(), EPOLLOUT, tag_));
    call->socket = std::move(socket);
    return ok_status();
}

void TcpGate::retry_later(Call* call, std::string trouble) {
    drop(&call->socket);
    call->trouble = std::move(trouble);
    const milliseconds pause = kFirstPause * (1 << std::min(call->tries, 6));
    call->next_try = Deadline::after(std::min(pause, kLongestPause));
}

bool TcpGate::hopeless(const Call& call) const {
    return !call.socket && (call.tries >= kMaxTries || call.refusals >= kMaxRefusals);
}

bool TcpGate::connected(Call* call) {
    pollfd wanted{call->socket.get(), POLLOUT, 0};
    if (poll(&wanted, 1, 0) <= 0) return false;
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(call->socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    call->connected = error == 0;
    if (error != 0) {
        call->refusals = error == ECONNREFUSED ? call->refusals + 1 : 0;
        retry_later(call, errno_text("connect", error));
    }
    return call->connected;
}

// True when the call is over, one way or the other.
Result<bool> TcpGate::advance_call(Call* call, std::vector<FormedStream>* formed) {
    if (!call->socket && call->next_try.passed()) XCCL_TRY(open(call));
    if (!call->socket) return hopeless(*call) || call->give_up.passed();
    if (!call->connected && !connected(call)) return hopeless(*call) || call->give_up.passed();
    const auto outcome = call->hello->advance(call->socket.get());
    switch (outcome) {
        case TcpHelloExchange::Outcome::kDone:
            poller_->remove(call->socket.get());
            formed->push_back({call->peer, call->index, std::move(call->socket)});
            call->hello.reset();
            return true;
        case TcpHelloExchange::Outcome::kRefused:
            retry_later(call,
                        "it broke off the hello; do all ranks run the same libxccl.so with the "
                        "same settings?");
            return hopeless(*call);
        default:
            poller_->change(call->socket.get(), interest(outcome), tag_);
            if (call->give_up.passed()) call->trouble = "it does not answer";
            return call->give_up.passed();
    }
}

Status TcpGate::advance(std::vector<FormedStream>* formed, std::vector<FailedCall>* failed) {
    for (std::size_t i = 0; i < calls_.size();) {
        Call& call = calls_[i];
        XCCL_ASSIGN(const bool over, advance_call(&call, formed));
        if (!over) {
            ++i;
            continue;
        }
        if (call.hello) {
            drop(&call.socket);
            const std::string trouble = call.trouble.empty() ? "no answer" : call.trouble;
            failed->push_back({call.peer, fmt::format("{} ({})", trouble, call.endpoint)});
        }
        std::swap(calls_[i], calls_.back());
        calls_.pop_back();
    }
    for (const auto& socket : listener_->sockets()) XCCL_TRY(admit(socket.get()));
    advance_strangers(formed);
    return ok_status();
}

// ---- Being called ---------------------------------------------------------------------------

// Whoever has stood in the doorway for long makes room for others.
bool TcpGate::make_room(Clock::time_point now) {
    if (strangers_.empty() || now - strangers_.front().came < kCrowdPatience) return false;
    drop(&strangers_.front().socket);
    strangers_.pop_front();
    return true;
}

Status TcpGate::admit(int listening_socket) {
    for (int i = 0; i < kMaxAdmissions; ++i) {
        if (strangers_.size() >= kMaxStrangers && !make_room(Clock::now())) return ok_status();
        OwnedDescriptor socket(
            accept4(listening_socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket && (errno == EMFILE || errno == ENFILE)) {
            const int error = errno;
            if (!is_readable(listening_socket)) return ok_status();
            if (strangers_.empty()) return descriptor_failure("a connection from a peer", error);
            // One of those inside may be the peer, who would not learn why it is sent away.
            if (!make_room(Clock::now())) return ok_status();
            continue;
        }
        if (!socket) return ok_status();  // nobody there, or gone again
        prepare(socket.get());
        XCCL_TRY(poller_->add(socket.get(), EPOLLIN, tag_));
        strangers_.push_back({std::move(socket), TcpHelloExchange::answer(&terms_), Clock::now()});
    }
    return ok_status();
}

void TcpGate::advance_strangers(std::vector<FormedStream>* formed) {
    const auto now = Clock::now();
    for (std::size_t i = 0; i < strangers_.size();) {
        Stranger& stranger = strangers_[i];
        const auto outcome = stranger.hello.advance(stranger.socket.get());
        if (outcome == TcpHelloExchange::Outcome::kDone) {
            poller_->remove(stranger.socket.get());
            formed->push_back(
                {stranger.hello.peer(), stranger.hello.stream(), std::move(stranger.socket)});
        } else if (outcome == TcpHelloExchange::Outcome::kRefused ||
                   now - stranger.came > kStrangerPatience) {
            drop(&stranger.socket);
        } else {
            poller_->change(stranger.socket.get(), interest(outcome), tag_);
            ++i;
            continue;
        }
        strangers_.erase(strangers_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

}  // namespace xccl
