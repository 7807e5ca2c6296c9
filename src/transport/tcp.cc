#include "transport/tcp.h"

#include <utility>

#include "transport/tcp_carrier.h"

namespace xccl {

TcpTransport::TcpTransport(std::unique_ptr<TcpCarrier> carrier) : carrier_(std::move(carrier)) {}

TcpTransport::~TcpTransport() {
    constexpr int kPatienceMs = 500;
    TcpTransport::leave(Deadline::after_ms(kPatienceMs));
}

Result<std::unique_ptr<TcpTransport>> TcpTransport::make(
    TcpOptions options, std::unique_ptr<TcpListener> listener,
    std::vector<std::vector<std::string>> endpoints) {
    XCCL_ASSIGN(auto carrier,
                TcpCarrier::make(std::move(options), std::move(listener), std::move(endpoints)));
    return std::unique_ptr<TcpTransport>(new TcpTransport(std::move(carrier)));
}

Result<std::unique_ptr<Link>> TcpTransport::connect(int peer) {
    return carrier_->connect(peer);
}

Carrier* TcpTransport::carrier() {
    return carrier_.get();
}

std::uint64_t TcpTransport::payload_bytes_sent() const {
    return carrier_->payload_bytes_sent();
}

void TcpTransport::leave(Deadline deadline) {
    carrier_->leave(deadline);
}

}  // namespace xccl
