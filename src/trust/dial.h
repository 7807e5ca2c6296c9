// Calling somebody who listens and proves to know the secret.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/owned_descriptor.h"
#include "base/socket_address.h"
#include "base/status.h"
#include "trust/handshake.h"

namespace xccl {

struct CallTerms {
    std::vector<SocketAddress> addresses;  // of one listener; tried in turn
    Secret secret{};
    Purpose purpose = Purpose::kRendezvous;
    std::string hello;
    // Nobody listens there yet, or somebody of an earlier job: worth waiting for.
    bool may_come_later = false;
};

struct Connection {
    OwnedDescriptor socket;
    std::string reply;  // to the hello
};

// Tries until somebody has proved itself. `abort` may be null.
//   remote_error   nobody listens, or the secret is refused (and may_come_later is not set)
//   timeout_error  the deadline passed; names the last trouble
Result<Connection> dial(const CallTerms& terms, Deadline deadline, const std::atomic<bool>* abort);

// A TCP connection of the control plane: nothing is held back, and a machine that vanishes is
// noticed within half a minute.
void prepare_connection(int socket);

}  // namespace xccl
