#include "transport/tcp_listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/socket_address.h"

namespace xccl {

Result<std::unique_ptr<TcpListener>> TcpListener::open(const std::vector<std::string>& addresses) {
    if (addresses.empty()) {
        return system_error("no network interface is usable for TCP; see XCCL_SOCKET_IFNAME");
    }
    std::unique_ptr<TcpListener> listener(new TcpListener);
    for (const std::string& host : addresses) {
        XCCL_ASSIGN(const SocketAddress address, parse_address(host, 0));
        OwnedDescriptor socket(
            ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket) return descriptor_failure("listening for peers", errno);
        if (bind(socket.get(), address.get(), address.length) != 0 ||
            listen(socket.get(), SOMAXCONN) != 0) {
            return system_error("cannot listen for peers on {}: {}; see XCCL_SOCKET_IFNAME", host,
                                errno_text("bind", errno));
        }
        XCCL_ASSIGN(const SocketAddress bound, local_address(socket.get()));
        listener->endpoints_.push_back(endpoint_text(bound));
        listener->sockets_.push_back(std::move(socket));
    }
    return listener;
}

}  // namespace xccl
