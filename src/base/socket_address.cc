#include "base/socket_address.h"

#include <netdb.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace xccl {

std::uint16_t SocketAddress::port() const {
    return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port
                                      : reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

void SocketAddress::set_port(std::uint16_t port) {
    auto& field = family() == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                       : reinterpret_cast<sockaddr_in*>(&storage)->sin_port;
    field = htons(port);
}

Result<SocketAddress> parse_address(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (error != 0) {
        return invalid_argument("'{}' is no numeric address: {}", host, gai_strerror(error));
    }
    SocketAddress address;
    address.length = found->ai_addrlen;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    address.set_port(port);
    return address;
}

Result<SocketAddress> parse_endpoint(const std::string& endpoint) {
    const std::size_t colon = endpoint.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return invalid_argument("'{}' is no endpoint: expected address:port", endpoint);
    }
    std::uint16_t port = 0;
    const char* const last = endpoint.data() + endpoint.size();
    const auto [end, error] = std::from_chars(endpoint.data() + colon + 1, last, port);
    if (error != std::errc() || end != last) {
        return invalid_argument("'{}' is no endpoint: its port must be 0 to 65535", endpoint);
    }
    std::string host = endpoint.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return parse_address(host, port);
}

std::string host_text(const SocketAddress& address) {
    char host[NI_MAXHOST] = "?";
    getnameinfo(address.get(), address.length, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
    return host;
}

std::string endpoint_text(const SocketAddress& address) {
    const bool v6 = address.family() == AF_INET6;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", host_text(address), v6 ? "]" : "",
                       address.port());
}

Result<SocketAddress> local_address(int socket) {
    SocketAddress address;
    address.length = sizeof address.storage;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
        return system_error("cannot learn a listener's port: {}", errno_text("getsockname", errno));
    }
    return address;
}

}  // namespace xccl
