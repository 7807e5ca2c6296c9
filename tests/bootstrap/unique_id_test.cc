// Goal: an id says what was put into it; any damage is found; nothing else is taken for one.
#include "bootstrap/unique_id.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace xccl {
namespace {

Rendezvous a_rendezvous() {
    Rendezvous rendezvous;
    rendezvous.addresses = {*parse_endpoint("192.0.2.1:4711"),
                            *parse_endpoint("[2001:db8::7]:4711")};
    rendezvous.secret.fill(7);
    return rendezvous;
}

TEST(UniqueId, SaysWhatWasPutIntoIt) {
    for (const bool agreed_port : {false, true}) {
        Rendezvous rendezvous = a_rendezvous();
        rendezvous.agreed_port = agreed_port;
        const auto read = unpack_id(pack_id(rendezvous));
        ASSERT_TRUE(read.ok()) << read.status().text();
        EXPECT_EQ(read->secret, rendezvous.secret);
        EXPECT_EQ(read->agreed_port, agreed_port);
        ASSERT_EQ(read->addresses.size(), 2u);
        EXPECT_EQ(endpoint_text(read->addresses[0]), "192.0.2.1:4711");
        EXPECT_EQ(endpoint_text(read->addresses[1]), "[2001:db8::7]:4711");
    }
}

TEST(UniqueId, HasRoomForTheFirstAddresses) {
    Rendezvous rendezvous = a_rendezvous();
    rendezvous.addresses.assign(9, *parse_endpoint("[2001:db8::7]:4711"));
    EXPECT_EQ(unpack_id(pack_id(rendezvous))->addresses.size(), kMaxIdAddresses);
}

TEST(UniqueId, AnyDamageIsFound) {
    const xcclUniqueId id = pack_id(a_rendezvous());
    for (std::size_t bit = 0; bit < 8 * sizeof id; ++bit) {
        xcclUniqueId damaged = id;
        damaged.internal[bit / 8] = static_cast<char>(damaged.internal[bit / 8] ^ (1 << bit % 8));
        const auto read = unpack_id(damaged);
        EXPECT_FALSE(read.ok()) << bit;
        EXPECT_EQ(read.status().code(), xcclInvalidArgument);
    }
}

TEST(UniqueId, OtherBytesAreNone) {
    xcclUniqueId id{};
    EXPECT_NE(unpack_id(id).status().text().find("damaged"), std::string::npos);
    std::mt19937 random(5);
    for (int round = 0; round < 1000; ++round) {
        for (char& byte : id.internal) byte = static_cast<char>(random());
        EXPECT_FALSE(unpack_id(id).ok());
    }
}

TEST(UniqueId, AnotherVersionIsNamed) {
    xcclUniqueId id = pack_id(a_rendezvous());
    id.internal[4] = 9;
    EXPECT_NE(unpack_id(id).status().text().find("version 9"), std::string::npos);
}

}  // namespace
}  // namespace xccl
