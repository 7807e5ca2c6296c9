// What the 128 bytes of a unique id say: where a rendezvous is, and the secret that opens it.
//
//     magic 4 | version 2 | flags 1 | addresses 1 | port 2 | secret 32 | addresses | zeros | sum 8
//
// An address is its family (4 or 6) and its 4 or 16 bytes. The sum finds damage, not forgery: who
// can read an id can make one.
#pragma once

#include <vector>

#include "base/socket_address.h"
#include "base/status.h"
#include "trust/secret.h"
#include "xccl.h"

namespace xccl {

constexpr std::size_t kMaxIdAddresses = 4;

struct Rendezvous {
    std::vector<SocketAddress> addresses;  // all with one port
    Secret secret{};
    // At a port that was agreed on beforehand: ranks may know the id before the root is there.
    bool agreed_port = false;
};

// Of more than kMaxIdAddresses the first are taken.
xcclUniqueId pack_id(const Rendezvous& rendezvous);
//   invalid_argument  these are not the bytes of an id, or of another version's
Result<Rendezvous> unpack_id(const xcclUniqueId& id);

}  // namespace xccl
