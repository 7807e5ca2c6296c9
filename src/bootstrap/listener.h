// A listening socket that others may call at any of several addresses.
#pragma once

#include <string_view>
#include <vector>

#include "base/owned_descriptor.h"
#include "base/socket_address.h"
#include "base/status.h"

namespace xccl {

struct Listener {
    OwnedDescriptor socket;                // does not block
    std::vector<SocketAddress> addresses;  // where to call, all with one port
};

// At the addresses that the specification chooses (interfaces.h); the port is the system's choice.
//   system_error  no usable interface
Result<Listener> listen_on(std::string_view interfaces);

//   system_error  the port is in use, or the address is not this host's
Result<Listener> listen_at(const SocketAddress& address);

}  // namespace xccl
