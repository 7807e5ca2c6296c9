// Addresses of TCP sockets, numeric: "192.0.2.1:4711", "[2001:db8::1]:4711", "[fe80::1%eth0]:4711".
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/status.h"

namespace xccl {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
    int family() const { return storage.ss_family; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    std::uint16_t port() const;
    void set_port(std::uint16_t port);
};

// These never ask a name server.
Result<SocketAddress> parse_address(const std::string& host, std::uint16_t port);
Result<SocketAddress> parse_endpoint(const std::string& endpoint);

// "192.0.2.1", and with the port.
std::string host_text(const SocketAddress& address);
std::string endpoint_text(const SocketAddress& address);

// Where a socket is bound.
Result<SocketAddress> local_address(int socket);

}  // namespace xccl
