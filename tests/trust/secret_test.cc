// Goal: proofs differ with everything that they are over; texts and digits are read exactly.
#include "trust/secret.h"

#include <gtest/gtest.h>

#include <set>

#include "doors.h"

namespace xccl {
namespace {

TEST(Secret, ProofsDependOnSecretRoleAndParts) {
    const auto part = bytes_of("part");
    const std::set<Mac> macs = {
        mac_of(secret_of(1), "role", {part}),         mac_of(secret_of(2), "role", {part}),
        mac_of(secret_of(1), "rolf", {part}),         mac_of(secret_of(1), "role", {part, part}),
        mac_of(secret_of(1), "rolepart", {}),         mac_of(secret_of(1), "role", {}),
        mac_of(secret_of(1), "role", {bytes_of("")}),
    };
    EXPECT_EQ(macs.size(), 6u);  // the last two are over the same bytes
    EXPECT_TRUE(same_mac(mac_of(secret_of(1), "role", {part}),
                         mac_of(secret_of(1), "role", {bytes_of("pa"), bytes_of("rt")})));
}

TEST(Secret, NoncesAndSecretsAreNew) {
    std::set<Nonce> seen;
    for (int i = 0; i < 100; ++i) {
        seen.insert(make_nonce());
        seen.insert(make_secret());
    }
    EXPECT_EQ(seen.size(), 200u);
}

TEST(Secret, DerivedKeysAreApart) {
    const std::set<Secret> keys = {derive(secret_of(1), "a"),  derive(secret_of(1), "b"),
                                   derive(secret_of(2), "a"),  derive(secret_of(1), "a", "x"),
                                   derive(secret_of(1), "ax"), secret_from_text("a"),
                                   secret_from_text("b")};
    EXPECT_EQ(keys.size(), 7u);
    EXPECT_EQ(secret_from_text("a"), secret_from_text("a"));
}

TEST(Secret, HexIsReadExactly) {
    const std::string bytes("\x00\x7f\xff", 3);
    EXPECT_EQ(to_hex(bytes), "007fff");
    char read[3] = {1, 1, 1};
    EXPECT_TRUE(from_hex("007FfF", read, sizeof read));
    EXPECT_EQ(std::string(read, 3), bytes);
    for (const char* wrong : {"", "007ff", "007ffff", "007ffg", "00 7ff", "0x7fff"}) {
        EXPECT_FALSE(from_hex(wrong, read, sizeof read)) << wrong;
    }
}

}  // namespace
}  // namespace xccl
