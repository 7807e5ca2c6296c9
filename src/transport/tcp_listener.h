// Where peers call: a listening socket on each chosen address.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/owned_descriptor.h"
#include "base/status.h"

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

}  // namespace xccl
