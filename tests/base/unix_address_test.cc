// Goal: abstract addresses name a socket without a file; the user at the other end is told; running
// out of descriptors is said in words that help. Method: sockets of this process.
#include "base/unix_address.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
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

TEST(UnixAddress, FailuresOfDescriptorsNameTheLimit) {
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const std::string own = descriptor_failure("a door", EMFILE).text();
    EXPECT_NE(own.find("a door"), std::string::npos);
    EXPECT_NE(own.find(std::to_string(limit.rlim_cur)), std::string::npos);
    EXPECT_NE(own.find("ulimit -n"), std::string::npos);
    EXPECT_NE(descriptor_failure("a door", ENFILE).text().find("fs.file-max"), std::string::npos);
    EXPECT_NE(descriptor_failure("a door", EACCES).text().find("Permission"), std::string::npos);
}

}  // namespace
}  // namespace xccl
