// The rendezvous: a thread in one process at which the ranks of one communicator meet.
//
// It lets in who knows the secret, collects what each rank has brought, and hands the whole to all.
// It ends with the communicator's set-up, or when nobody has come for an hour. The thread takes no
// signals, ends with the process (after what is on its way has left), and leaves no descriptor open
// in a child after fork().
#pragma once

#include <string>

#include "base/status.h"
#include "trust/secret.h"
#include "xccl.h"

namespace xccl {

// At an address and a port that all know beforehand ("192.0.2.1:4711", "node7:4711", "[::1]:4711").
//   system_error      the port is in use, or the address is not this host's
//   invalid_argument  the host's name is not known
Result<xcclUniqueId> create_root_at(const std::string& endpoint, const Secret& secret);

// The same id, for the ranks that do not serve it; they may join before the root is there.
Result<xcclUniqueId> id_of_root_at(const std::string& endpoint, const Secret& secret);

// Ends a rendezvous of this process that nobody needs any more; nothing if there is none.
void end_root(const xcclUniqueId& id);

// How many this process serves.
int live_root_count();

}  // namespace xccl
