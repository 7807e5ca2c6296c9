// Connections that are still forming: calls to higher ranks, and callers who have yet to prove who
// they are.
//
// Strangers are bounded in number and in time, and cost nothing else. A call that is turned away
// (a crowd, a reset) is tried again; one that finds nobody listening is given up soon, since a
// rank's listener lives as long as the rank.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/socket_address.h"
#include "base/status.h"
#include "transport/poller.h"
#include "transport/tcp_hello.h"
#include "transport/tcp_listener.h"

namespace xccl {

struct FormedStream {
    int peer;
    int index;
    OwnedDescriptor socket;
};

// A call that came to nothing.
struct FailedCall {
    int peer;
    std::string text;
};

class TcpGate {
  public:
    struct Options {
        std::chrono::milliseconds connect_timeout{60000};
        int send_buffer_bytes = 0;
    };
    // Descriptors are watched by `poller` under `tag`.
    TcpGate(const TcpHelloTerms& terms, std::unique_ptr<TcpListener> listener, Options options,
            Poller* poller, std::uint64_t tag);
    Status watch();

    // Calls a higher rank for all streams of the pair.
    Status call(int peer, const std::vector<std::string>& endpoints);

    // Has anything to do by itself, without an event.
    bool busy() const { return !calls_.empty() || !strangers_.empty(); }
    // Does what can be done now. New streams no longer stand in the poller.
    Status advance(std::vector<FormedStream>* formed, std::vector<FailedCall>* failed);

  private:
    struct Call {
        int peer;
        int index;
        std::string endpoint;
        SocketAddress address;
        Deadline give_up;
        Deadline next_try;
        int tries = 0;
        int refusals = 0;       // in a row: nobody listened
        std::string trouble{};  // of the last try
        OwnedDescriptor socket{};
        bool connected = false;
        std::optional<TcpHelloExchange> hello{};
    };
    struct Stranger {
        OwnedDescriptor socket;
        TcpHelloExchange hello;
        Clock::time_point came;
    };

    Status open(Call* call);
    bool connected(Call* call);  // or failed: then without a socket
    Result<bool> advance_call(Call* call, std::vector<FormedStream>* formed);
    void retry_later(Call* call, std::string trouble);
    bool hopeless(const Call& call) const;
    void advance_strangers(std::vector<FormedStream>* formed);
    Status admit(int listening_socket);
    bool make_room(Clock::time_point now);
    void prepare(int socket) const;
    void drop(OwnedDescriptor* socket);

    const TcpHelloTerms terms_;
    const std::unique_ptr<TcpListener> listener_;
    const Options options_;
    Poller* const poller_;
    const std::uint64_t tag_;
    std::vector<Call> calls_;
    std::deque<Stranger> strangers_;  // the oldest first
};

}  // namespace xccl
