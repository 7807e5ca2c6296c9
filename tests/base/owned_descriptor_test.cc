// Goal: a descriptor is closed once, by its last owner; the words for there being none left say
// what to do.
#include "base/owned_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace xccl {
namespace {

bool is_open(int descriptor) {
    return fcntl(descriptor, F_GETFD) >= 0;
}

int any_descriptor() {
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(OwnedDescriptor, ClosesWhenItGoes) {
    int raw = -1;
    {
        OwnedDescriptor first(any_descriptor());
        raw = first.get();
        OwnedDescriptor second(std::move(first));
        EXPECT_FALSE(first);  // NOLINT: moved from, which is what is looked at
        EXPECT_TRUE(is_open(raw));
    }
    EXPECT_FALSE(is_open(raw));
}

TEST(OwnedDescriptor, AssignmentClosesTheOldOne) {
    OwnedDescriptor first(any_descriptor()), second(any_descriptor());
    const int old = first.get(), kept = second.get();
    first = std::move(second);
    EXPECT_FALSE(is_open(old));
    EXPECT_EQ(first.get(), kept);
    EXPECT_EQ(first.release(), kept);
    EXPECT_FALSE(first);
    EXPECT_TRUE(is_open(kept));
    close(kept);
}

TEST(DescriptorFailure, SaysWhichLimitToRaise) {
    const Status process = descriptor_failure("a test", EMFILE);
    EXPECT_EQ(process.code(), xcclSystemError);
    EXPECT_NE(process.text().find("ulimit -n"), std::string::npos);
    EXPECT_NE(process.text().find("a test"), std::string::npos);
    EXPECT_NE(descriptor_failure("a test", ENFILE).text().find("fs.file-max"), std::string::npos);
    EXPECT_NE(descriptor_failure("a test", EACCES).text().find("errno 13"), std::string::npos);
}

}  // namespace
}  // namespace xccl
