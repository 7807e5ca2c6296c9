#include "bootstrap/listener.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "bootstrap/interfaces.h"

namespace xccl {
namespace {

Result<OwnedDescriptor> bound_socket(const SocketAddress& address, bool both_families) {
    OwnedDescriptor socket(
        ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return descriptor_failure("a listener", errno);
    const int on = 1, v6_only = both_families ? 0 : 1;
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.family() == AF_INET6) {
        setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    }
    if (::bind(socket.get(), address.get(), address.length) == 0 &&
        ::listen(socket.get(), SOMAXCONN) == 0) {
        return socket;
    }
    const int error = errno;
    const std::string where = endpoint_text(address);
    if (error == EADDRINUSE) {
        return system_error(
            "cannot listen at {}: the port is in use, perhaps by another job; choose another",
            where);
    }
    if (error == EADDRNOTAVAIL) {
        return system_error(
            "cannot listen at {}: this is no address of this host; process 0 of the job must run "
            "where the address is",
            where);
    }
    return system_error("cannot listen at {}: {}", where, errno_text("bind", error));
}

// One socket serves all addresses; which of them others learn is the specification's choice.
Result<OwnedDescriptor> socket_for(const std::vector<std::string>& addresses) {
    if (addresses.size() == 1) {
        XCCL_ASSIGN(const SocketAddress only, parse_address(addresses[0], 0));
        return bound_socket(only, false);
    }
    const bool any_v6 = std::any_of(addresses.begin(), addresses.end(), [](const auto& address) {
        return address.find(':') != std::string::npos;
    });
    XCCL_ASSIGN(const SocketAddress wildcard, parse_address(any_v6 ? "::" : "0.0.0.0", 0));
    return bound_socket(wildcard, true);
}

}  // namespace

Result<Listener> listen_on(std::string_view interfaces) {
    XCCL_ASSIGN(const auto hosts, usable_addresses(interfaces));
    Listener listener;
    XCCL_ASSIGN(listener.socket, socket_for(hosts));
    XCCL_ASSIGN(const SocketAddress bound, local_address(listener.socket.get()));
    for (const std::string& host : hosts) {
        XCCL_ASSIGN(const SocketAddress address, parse_address(host, bound.port()));
        listener.addresses.push_back(address);
    }
    return listener;
}

Result<Listener> listen_at(const SocketAddress& address) {
    Listener listener;
    XCCL_ASSIGN(listener.socket, bound_socket(address, false));
    XCCL_ASSIGN(const SocketAddress bound, local_address(listener.socket.get()));
    listener.addresses.push_back(bound);
    return listener;
}

}  // namespace xccl
