// Where peers call: a listening socket on each chosen address.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/owned_descriptor.h"

namespace xccl {

class TcpListener {
  public:
    // Numeric addresses ("192.0.2.1", "fe80::1%eth0"); the ports are the system's choice.
    static Result<std::unique_ptr<TcpListener>> open(const std::vector<std::string>& addresses);

    // Where to call, in the order of the addresses: "192.0.2.1:4711", "[fe80::1%eth0]:4711".
    const std::vector<std::string>& endpoints() const { return endpoints_; }
    const std::vector<OwnedDescriptor>& sockets() const { return sockets_; }

  private:
    TcpListener() = default;
    std::vector<OwnedDescriptor> sockets_;
    std::vector<std::string> endpoints_;
};

struct TcpAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
    int family() const { return storage.ss_family; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// "host:port" or "[host]:port", numeric; never asks a name server.
Result<TcpAddress> parse_endpoint(const std::string& endpoint);

}  // namespace xccl
