#include "trust/dial.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "trust/wait.h"

namespace xccl {
namespace {

constexpr int kConnectPatienceMs = 3000;  // a route that swallows packets
constexpr int kGreetPatienceMs = 5000;    // somebody else's listener that says nothing
constexpr int kFirstPauseMs = 2, kLongestPauseMs = 250;
constexpr int kMaxRefusals = 3;    // rounds in which every address refused: nobody is there
constexpr int kMaxRejections = 8;  // the secret; a crowd at the door may cause a few, too

std::string all_of(const std::vector<SocketAddress>& addresses) {
    std::string text;
    for (const SocketAddress& address : addresses) {
        text += (text.empty() ? "" : ", ") + endpoint_text(address);
    }
    return text;
}

Result<OwnedDescriptor> connect_to(const SocketAddress& address, Deadline deadline,
                                   const std::atomic<bool>* abort, int* error) {
    OwnedDescriptor socket(
        ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // A machine without IPv6 cannot even make the socket, and may have another address to call.
    if (!socket && errno != EAFNOSUPPORT) return descriptor_failure("a connection", errno);
    *error = EAFNOSUPPORT;
    if (!socket) return socket;
    prepare_connection(socket.get());
    *error = ::connect(socket.get(), address.get(), address.length) == 0 ? 0 : errno;
    if (*error != EINPROGRESS) return socket;
    const Status connected = wait_for(socket.get(), POLLOUT, deadline, abort);
    *error = ETIMEDOUT;
    if (connected.code() == xcclTimeout) return socket;
    XCCL_TRY(connected);
    socklen_t length = sizeof *error;
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, error, &length);
    return socket;
}

// A series of attempts.
class Dialling {
  public:
    Dialling(const CallTerms& terms, Deadline deadline, const std::atomic<bool>* abort)
        : terms_(terms), deadline_(deadline), abort_(abort) {}

    Result<Connection> run() {
        for (int pause_ms = kFirstPauseMs;; pause_ms = std::min(2 * pause_ms, kLongestPauseMs)) {
            bool all_refused = true;
            for (const SocketAddress& address : terms_.addresses) {
                XCCL_ASSIGN(std::optional<Connection> made, attempt(address));
                if (made) return std::move(*made);
                all_refused = all_refused && refused_;
            }
            refusals_ = all_refused ? refusals_ + 1 : 0;
            XCCL_TRY(hopeless());
            if (pause_for(pause_ms, deadline_, abort_)) continue;
            XCCL_TRY(wait_verdict());
        }
    }

  private:
    Result<std::optional<Connection>> attempt(const SocketAddress& address) {
        const Deadline patience = deadline_.earlier(Deadline::after_ms(kConnectPatienceMs));
        int error = 0;
        XCCL_ASSIGN(OwnedDescriptor socket, connect_to(address, patience, abort_, &error));
        refused_ = error == ECONNREFUSED;
        if (error != 0) {
            trouble_ = errno_text("connect", error);
            return std::optional<Connection>();
        }
        Handshake handshake =
            Handshake::client(socket.get(), terms_.secret, terms_.purpose, terms_.hello);
        Status status =
            run_handshake(&handshake, socket.get(),
                          deadline_.earlier(Deadline::after_ms(kGreetPatienceMs)), abort_);
        // Once challenged, the listener is ours and merely busy: to hang up would be to die.
        if (status.code() == xcclTimeout && handshake.challenged()) {
            status = run_handshake(&handshake, socket.get(), deadline_, abort_);
        }
        if (status.ok())
            return std::optional(Connection{std::move(socket), handshake.peer_hello()});
        if (status.code() == xcclInvalidUsage) return status;  // aborted
        rejections_ += handshake.challenged() && status.code() == xcclRemoteError;
        trouble_ = status.text();
        return std::optional<Connection>();
    }

    Status hopeless() const {
        if (terms_.may_come_later) return ok_status();
        if (refusals_ >= kMaxRefusals) {
            return remote_error("nobody listens at {} any more", all_of(terms_.addresses));
        }
        if (rejections_ >= kMaxRejections) {
            return remote_error("{} refuses this process ({}); see that both have the same secret",
                                all_of(terms_.addresses), trouble_);
        }
        return ok_status();
    }

    // The pause was cut short: by whom?
    Status wait_verdict() const {
        if (!deadline_.passed()) return invalid_usage("aborted by this process");
        return timeout_error("nobody answered at {} in time ({})", all_of(terms_.addresses),
                             trouble_);
    }

    const CallTerms& terms_;
    const Deadline deadline_;
    const std::atomic<bool>* const abort_;
    std::string trouble_;  // of the last attempt
    bool refused_ = false;
    int refusals_ = 0, rejections_ = 0;
};

}  // namespace

void prepare_connection(int socket) {
    const int on = 1, idle_s = 10, interval_s = 5, probes = 4;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

Result<Connection> dial(const CallTerms& terms, Deadline deadline, const std::atomic<bool>* abort) {
    return Dialling(terms, deadline, abort).run();
}

}  // namespace xccl
