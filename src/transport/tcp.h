// Links to ranks of other hosts, over TCP: several streams per pair, each proved to come from who
// it says it is.
//
// A listener exists before peers learn its endpoints; connections form when a link is first wanted,
// the lower rank calling, while progress() is called. See tcp_carrier.h for how messages travel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "transport/link.h"
#include "transport/tcp_listener.h"
#include "trust/secret.h"

namespace xccl {

class TcpCarrier;

struct TcpOptions {
    int rank = 0;
    int rank_count = 1;
    Secret secret{};        // of the communicator; proves who calls
    LaneGeometry geometry;  // alike on all ranks
    int stream_count = 2;   // per pair; alike on all ranks
    int delay_ms = 0;       // every message is seen that much later than it comes
    int connect_timeout_ms = 60000;
    int send_buffer_bytes = 0;                  // of each socket; 0: as the system chooses
    std::function<std::string(int)> name_of{};  // "rank 3 on node7"
};

class TcpTransport : public Transport {
  public:
    // `endpoints`: where each rank's listener is, by rank ("192.0.2.1:4711",
    // "[fe80::1%eth0]:4711"). Stream i goes to the peer's endpoint i modulo their number. Ranks
    // never linked need none.
    static Result<std::unique_ptr<TcpTransport>> make(
        TcpOptions options, std::unique_ptr<TcpListener> listener,
        std::vector<std::vector<std::string>> endpoints);
    TcpTransport(const TcpTransport&) = delete;
    TcpTransport& operator=(const TcpTransport&) = delete;
    TcpTransport(TcpTransport&&) = delete;
    TcpTransport& operator=(TcpTransport&&) = delete;
    ~TcpTransport() override;  // leaves, if that has not been done, and waits at most half a second

    const char* name() const override { return "tcp"; }
    Result<std::unique_ptr<Link>> connect(int peer) override;
    Carrier* carrier() override;
    std::uint64_t payload_bytes_sent() const override;

    void leave(Deadline deadline) override;

  private:
    explicit TcpTransport(std::unique_ptr<TcpCarrier> carrier);
    const std::unique_ptr<TcpCarrier> carrier_;
};

}  // namespace xccl
