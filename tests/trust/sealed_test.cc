// Goal: only who knows the secret reads or makes a sealed text. Method: the round trip, and every
// single bit altered.
#include "trust/sealed.h"

#include <gtest/gtest.h>

namespace xccl {
namespace {

TEST(Sealed, RoundTrip) {
    const Secret secret = make_secret();
    for (const std::size_t size : {0, 1, 129, 4096}) {
        const std::string text(size, 'x');
        const std::string sealed = seal(secret, text);
        EXPECT_EQ(sealed.size(), size + kSealBytes);
        EXPECT_EQ(unseal(secret, sealed), text);
        EXPECT_TRUE(size < 16 || sealed.find(text) == std::string::npos);
    }
    EXPECT_NE(seal(secret, "twice"), seal(secret, "twice"));
}

TEST(Sealed, AnotherSecretOpensNothing) {
    EXPECT_EQ(unseal(make_secret(), seal(make_secret(), "text")), std::nullopt);
}

TEST(Sealed, AlteredOrCutTextIsRefused) {
    const Secret secret = make_secret();
    const std::string sealed = seal(secret, "text");
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
        std::string altered = sealed;
        altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_EQ(unseal(secret, altered), std::nullopt) << bit;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        EXPECT_EQ(unseal(secret, sealed.substr(0, size)), std::nullopt) << size;
    }
}

}  // namespace
}  // namespace xccl
