// Goal: endpoints of both families are read and written back; what is none is refused.
#include "base/socket_address.h"

#include <gtest/gtest.h>

#include "base/owned_descriptor.h"

namespace xccl {
namespace {

TEST(SocketAddress, EndpointsAreReadAndWrittenBack) {
    for (const char* endpoint : {"192.0.2.1:4711", "[2001:db8::1]:65535", "[::1]:0"}) {
        const auto address = parse_endpoint(endpoint);
        ASSERT_TRUE(address.ok()) << address.status().text();
        EXPECT_EQ(endpoint_text(*address), endpoint);
    }
    EXPECT_EQ(parse_endpoint("192.0.2.1:4711")->port(), 4711);
    EXPECT_EQ(parse_endpoint("[::1]:80")->family(), AF_INET6);
    EXPECT_EQ(host_text(*parse_address("::1", 1)), "::1");
}

TEST(SocketAddress, WhatIsNoEndpointIsRefused) {
    for (const char* text :
         {"", ":", ":80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:65536",
          "192.0.2.1:-1", "localhost:80", "300.1.1.1:80", "[::1:80", "192.0.2.1:80 "}) {
        const auto address = parse_endpoint(text);
        EXPECT_FALSE(address.ok()) << text;
        EXPECT_EQ(address.status().code(), xcclInvalidArgument);
    }
}

TEST(SocketAddress, TellsWhereASocketIsBound) {
    const OwnedDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto wanted = parse_address("127.0.0.1", 0);
    ASSERT_EQ(bind(socket.get(), wanted->get(), wanted->length), 0);
    const auto bound = local_address(socket.get());
    ASSERT_TRUE(bound.ok());
    EXPECT_EQ(host_text(*bound), "127.0.0.1");
    EXPECT_NE(bound->port(), 0);
    EXPECT_EQ(local_address(-1).status().code(), xcclSystemError);
}

}  // namespace
}  // namespace xccl
