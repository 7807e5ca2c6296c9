// Abstract Unix socket addresses (no file, gone with the socket), and who is at the other end.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

namespace xccl {

struct UnixAddress {
    sockaddr_un address{};
    socklen_t length = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

// `name` has at most 100 bytes.
UnixAddress abstract_address(const std::string& name);

// Whether the process that connected, or listened, at the other end runs as this process's user.
bool has_my_user_id(int socket);

}  // namespace xccl
