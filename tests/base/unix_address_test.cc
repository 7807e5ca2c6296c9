// Goal: abstract addresses name a socket without a file; the user at the other end is told.
// Method: sockets of this process.
#include "base/unix_address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/owned_descriptor.h"

namespace xccl {
namespace {

OwnedDescriptor new_socket() {
    return OwnedDescriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

TEST(UnixAddress, ConnectsByNameAndLeavesNoFile) {
    const std::string name = "xccl-test-" + std::to_string(getpid());
    const UnixAddress address = abstract_address(name);
    EXPECT_EQ(address.address.sun_path[0], '\0');
    const OwnedDescriptor listener = new_socket();
    ASSERT_EQ(bind(listener.get(), address.get(), address.length), 0);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    const OwnedDescriptor caller = new_socket();
    EXPECT_EQ(connect(caller.get(), address.get(), address.length), 0);
    EXPECT_TRUE(has_my_user_id(caller.get()));
    EXPECT_NE(access(name.c_str(), F_OK), 0);
    const UnixAddress longer = abstract_address(name + "0");
    EXPECT_NE(connect(new_socket().get(), longer.get(), longer.length), 0);
}

TEST(UnixAddress, NobodyIsNotMe) {
    EXPECT_FALSE(has_my_user_id(-1));
    EXPECT_FALSE(has_my_user_id(new_socket().get()));  // not connected
}

}  // namespace
}  // namespace xccl
