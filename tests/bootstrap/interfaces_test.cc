// Goal: the addresses that a specification chooses, on hosts of many kinds; who has none learns
// what there is.
#include "bootstrap/interfaces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace xccl {
namespace {

using Addresses = std::vector<std::string>;

Interface v4(const char* name, const char* address, bool is_up = true) {
    return {.name = name, .address = address, .is_up = is_up};
}
Interface v6(const char* name, const char* address) {
    return {.name = name, .address = address, .is_up = true, .is_v6 = true};
}
Interface loopback() {
    return {.name = "lo", .address = "127.0.0.1", .is_up = true, .is_loopback = true};
}
Interface link_local(const char* name) {
    return {.name = name,
            .address = "fe80::1%eth0",
            .is_up = true,
            .is_v6 = true,
            .is_link_local = true};
}

const std::vector<Interface> kHost = {
    loopback(),
    v4("eth0", "192.0.2.1"),
    v6("eth0", "2001:db8::1"),
    link_local("eth0"),
    v4("eth1", "198.51.100.1"),
    v4("eth10", "198.51.100.10"),
    v4("eth2", "198.51.100.2", false),
    v4("docker0", "172.17.0.1"),
    v6("ib0", "2001:db8::2"),
};

TEST(Interfaces, EachSpecificationChoosesWhatItSays) {
    const struct {
        const char* specification;
        Addresses chosen;
    } cases[] = {
        {"", {"192.0.2.1", "198.51.100.1", "198.51.100.10", "2001:db8::2"}},
        {"eth", {"192.0.2.1", "198.51.100.1", "198.51.100.10"}},
        {"eth1", {"198.51.100.1", "198.51.100.10"}},
        {"=eth1", {"198.51.100.1"}},
        {"ib,=eth0", {"192.0.2.1", "2001:db8::2"}},
        {" ib0 , =eth0", {"192.0.2.1", "2001:db8::2"}},
        {"docker", {"172.17.0.1"}},
        {"lo", {"127.0.0.1"}},
        {"^docker,ib", {"192.0.2.1", "198.51.100.1", "198.51.100.10"}},
        {"^docker,^ib", {"192.0.2.1", "198.51.100.1", "198.51.100.10"}},
        {"^=eth1,docker", {"192.0.2.1", "198.51.100.10", "2001:db8::2"}},
        {"eth,^eth1", {"192.0.2.1"}},
        {"^eth,docker,ib", {"127.0.0.1"}},
    };
    for (const auto& [specification, chosen] : cases) {
        const auto addresses = choose_addresses(specification, kHost);
        ASSERT_TRUE(addresses.ok()) << specification << ": " << addresses.status().text();
        EXPECT_EQ(*addresses, chosen) << specification;
    }
}

TEST(Interfaces, BridgesAndLoopbackAreTheLastResort) {
    EXPECT_EQ(*choose_addresses("", {loopback(), v4("docker0", "172.17.0.1")}),
              Addresses{"172.17.0.1"});
    EXPECT_EQ(*choose_addresses("", {loopback(), v4("eth2", "198.51.100.2", false)}),
              Addresses{"127.0.0.1"});
}

TEST(Interfaces, NoneAtAllNamesWhatThereIs) {
    for (const char* specification : {"ib1", "=eth", "eth2", "^eth,docker,ib,lo"}) {
        const auto addresses = choose_addresses(specification, kHost);
        ASSERT_FALSE(addresses.ok()) << specification;
        EXPECT_EQ(addresses.status().code(), xcclSystemError);
        EXPECT_NE(addresses.status().text().find(specification), std::string::npos);
        EXPECT_NE(addresses.status().text().find("eth2 (198.51.100.2, down)"), std::string::npos);
    }
    EXPECT_NE(choose_addresses("", {}).status().text().find("none at all"), std::string::npos);
}

TEST(Interfaces, ThisHostHasOne) {
    const auto addresses = usable_addresses("");
    ASSERT_TRUE(addresses.ok()) << addresses.status().text();
    const auto all = list_interfaces();
    ASSERT_TRUE(all.ok());
    for (const std::string& address : *addresses) {
        EXPECT_TRUE(std::any_of(all->begin(), all->end(), [&](const Interface& interface) {
            return interface.address == address && interface.is_up;
        })) << address;
    }
}

}  // namespace
}  // namespace xccl
