// Goal: one socket serves all the addresses that were chosen; what stands in the way is said.
#include "bootstrap/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace xccl {
namespace {

bool can_call(const SocketAddress& address) {
    const OwnedDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return connect(socket.get(), address.get(), address.length) == 0;
}

TEST(Listener, CanBeCalledWhereItSays) {
    for (const char* interfaces : {"", "lo"}) {
        const auto listener = listen_on(interfaces);
        ASSERT_TRUE(listener.ok()) << listener.status().text();
        ASSERT_FALSE(listener->addresses.empty());
        for (const SocketAddress& address : listener->addresses) {
            EXPECT_TRUE(can_call(address)) << endpoint_text(address);
            EXPECT_EQ(address.port(), listener->addresses[0].port());
        }
    }
}

TEST(Listener, WhatStandsInTheWayIsSaid) {
    const auto first = listen_at(*parse_endpoint("127.0.0.1:0"));
    ASSERT_TRUE(first.ok());
    const std::string where = endpoint_text(first->addresses[0]);
    const struct {
        std::string endpoint, words;
    } cases[] = {{where, "the port is in use"},
                 {"203.0.113.77:4711", "no address of this host"},
                 {"[2001:db8::77]:4711", "cannot listen at [2001:db8::77]:4711"}};
    for (const auto& [endpoint, words] : cases) {
        const Status status = listen_at(*parse_endpoint(endpoint)).status();
        EXPECT_EQ(status.code(), xcclSystemError);
        EXPECT_NE(status.text().find(words), std::string::npos) << status.text();
    }
    EXPECT_EQ(listen_on("no-such-interface").status().code(), xcclSystemError);
}

}  // namespace
}  // namespace xccl
