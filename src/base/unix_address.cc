#include "base/unix_address.h"

#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/assert.h"

namespace xccl {

UnixAddress abstract_address(const std::string& name) {
    UnixAddress result;
    XCCL_ASSERT(name.size() + 1 < sizeof result.address.sun_path);
    result.address.sun_family = AF_UNIX;
    std::memcpy(result.address.sun_path + 1, name.data(), name.size());  // a zero byte, the name
    result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    return result;
}

bool has_my_user_id(int socket) {
    ucred peer{};
    socklen_t length = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           peer.uid == geteuid();
}

}  // namespace xccl
