// make_control_star(): rank 0 listens, tells where over the exchange, and waits for the others.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/bytes.h"
#include "base/config.h"
#include "bootstrap/bootstrap.h"
#include "bootstrap/listener.h"
#include "trust/dial.h"
#include "trust/doorway.h"
#include "trust/wait.h"

namespace xccl {
namespace {

using Streams = std::vector<std::unique_ptr<FrameStream>>;

constexpr std::size_t kMaxNoticeBytes = 1024;
static_assert(sizeof(FailureNotice) < kMaxNoticeBytes);
constexpr std::size_t kMaxEndpoints = 16, kMaxEndpointBytes = 256;

std::unique_ptr<FrameStream> stream_on(OwnedDescriptor socket) {
    return std::make_unique<FrameStream>(std::move(socket), kMaxNoticeBytes);
}

// Where rank 0 listens, for the others; empty: it could not.
std::string encode_endpoints(const std::vector<SocketAddress>& addresses) {
    ByteWriter writer;
    for (std::size_t i = 0; i < addresses.size() && i < kMaxEndpoints; ++i) {
        writer.counted(endpoint_text(addresses[i]));
    }
    return writer.take();
}

Result<std::vector<SocketAddress>> decode_endpoints(const std::string& bytes) {
    std::vector<SocketAddress> addresses;
    for (ByteReader reader(bytes); !reader.complete() && addresses.size() < kMaxEndpoints;) {
        XCCL_ASSIGN(const SocketAddress address,
                    parse_endpoint(std::string(reader.counted(kMaxEndpointBytes))));
        addresses.push_back(address);
    }
    return addresses;
}

std::string missing_text(const Streams& streams) {
    std::string text;
    for (std::size_t rank = 1; rank < streams.size(); ++rank) {
        if (streams[rank] == nullptr) text += fmt::format("{}{}", text.empty() ? "" : ", ", rank);
        if (text.size() > 60) return text + ", ...";
    }
    return text;
}

Result<Streams> receive_all(const Listener& listener, const Secret& secret, int rank_count,
                            Deadline deadline, const std::atomic<bool>* abort) {
    XCCL_ASSIGN(Doorway doorway, Doorway::open(listener.socket.get(), secret, Purpose::kControl,
                                               [](const std::string&) { return std::string(); }));
    Streams streams(static_cast<std::size_t>(rank_count));
    for (int missing = rank_count - 1; missing > 0;) {
        const Status waited = wait_for(
            doorway.fd(), POLLIN, deadline.earlier(Deadline::after_ms(Doorway::kLookMs)), abort);
        if (deadline.passed()) {
            return timeout_error(
                "ranks {} did not call rank 0 in time; see whether they can "
                "reach it",
                missing_text(streams));
        }
        if (!waited.ok() && waited.code() != xcclTimeout) return waited;
        XCCL_ASSIGN(std::vector<Guest> guests, doorway.advance());
        for (Guest& guest : guests) {
            ByteReader reader(guest.hello);
            const auto rank = reader.get<std::uint32_t>();
            if (!reader.complete() || rank == 0 || rank >= streams.size() || streams[rank]) {
                return remote_error(
                    "somebody calls rank 0 as rank {}, who is expected once, if at "
                    "all",
                    rank);
            }
            streams[rank] = stream_on(std::move(guest.socket));
            --missing;
        }
    }
    return streams;
}

Result<Streams> call_rank_zero(const std::string& endpoints, const Secret& secret, int rank,
                               Deadline deadline, const std::atomic<bool>* abort) {
    XCCL_ASSIGN(const auto addresses, decode_endpoints(endpoints));
    if (addresses.empty()) return remote_error("rank 0 could not listen; see its error");
    const CallTerms call{.addresses = addresses,
                         .secret = secret,
                         .purpose = Purpose::kControl,
                         .hello = ByteWriter().put(static_cast<std::uint32_t>(rank)).take()};
    Result<Connection> connection = dial(call, deadline, abort);
    if (!connection.ok()) {
        return Status(connection.status().code(),
                      fmt::format("cannot reach rank 0 for telling failures: {}",
                                  connection.status().text()));
    }
    Streams streams;
    streams.push_back(stream_on(std::move(connection->socket)));
    return streams;
}

}  // namespace

Result<std::unique_ptr<ControlStar>> make_control_star(Exchange* exchange, Deadline deadline,
                                                       const std::atomic<bool>* abort,
                                                       std::string_view interfaces) {
    const Secret secret = derive(exchange->secret(), "control star");
    const bool is_centre = exchange->rank() == 0;
    OwnedDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return descriptor_failure("telling failures", errno);
    Result<Listener> listener = Listener{};
    if (is_centre) {
        listener = listen_on(interfaces.empty() ? config().socket_ifname : interfaces);
    }
    // A centre that cannot listen says so to the others, or they would wait for it.
    XCCL_ASSIGN(
        const auto told,
        exchange->all_gather(listener.ok() ? encode_endpoints(listener->addresses) : std::string(),
                             deadline));
    XCCL_TRY(listener);
    XCCL_ASSIGN(Streams streams,
                is_centre ? receive_all(*listener, secret, exchange->rank_count(), deadline, abort)
                          : call_rank_zero(told[0], secret, exchange->rank(), deadline, abort));
    return std::make_unique<ControlStar>(exchange->rank(), std::move(streams), std::move(epoll));
}

}  // namespace xccl
