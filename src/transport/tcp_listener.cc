#include "transport/tcp_listener.h"

#include <netdb.h>

#include <cerrno>

#include "base/unix_address.h"

namespace xccl {
namespace {

Result<TcpAddress> resolve(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    if (error != 0) {
        return invalid_argument("'{}' port '{}' is no numeric address: {}", host, port,
                                gai_strerror(error));
    }
    TcpAddress address;
    address.length = found->ai_addrlen;
    __builtin_memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return address;
}

// "192.0.2.1:4711" of a socket that is bound.
Result<std::string> endpoint_of(int socket, const std::string& host) {
    TcpAddress address;
    address.length = sizeof address.storage;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
        return system_error("cannot learn a listener's port: {}", errno_text("getsockname", errno));
    }
    const auto port = address.family() == AF_INET6
                          ? reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port
                          : reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port;
    const bool v6 = address.family() == AF_INET6;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", ntohs(port));
}

}  // namespace

Result<TcpAddress> parse_endpoint(const std::string& endpoint) {
    const std::size_t colon = endpoint.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return invalid_argument("'{}' is no endpoint: expected address:port", endpoint);
    }
    std::string host = endpoint.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return resolve(host, endpoint.substr(colon + 1));
}

Result<std::unique_ptr<TcpListener>> TcpListener::open(const std::vector<std::string>& addresses) {
    if (addresses.empty()) {
        return system_error("no network interface is usable for TCP; see XCCL_SOCKET_IFNAME");
    }
    std::unique_ptr<TcpListener> listener(new TcpListener);
    for (const std::string& host : addresses) {
        XCCL_ASSIGN(const TcpAddress address, resolve(host, "0"));
        OwnedDescriptor socket(
            ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket) return descriptor_failure("listening for peers", errno);
        if (bind(socket.get(), address.get(), address.length) != 0 ||
            listen(socket.get(), SOMAXCONN) != 0) {
            return system_error("cannot listen for peers on {}: {}; see XCCL_SOCKET_IFNAME", host,
                                errno_text("bind", errno));
        }
        XCCL_ASSIGN(std::string endpoint, endpoint_of(socket.get(), host));
        listener->endpoints_.push_back(std::move(endpoint));
        listener->sockets_.push_back(std::move(socket));
    }
    return listener;
}

}  // namespace xccl
