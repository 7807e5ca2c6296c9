#include "transport/secret.h"

#include <sodium.h>

namespace xccl {

static_assert(sizeof(Secret) == crypto_auth_hmacsha512256_KEYBYTES);
static_assert(sizeof(Mac) == crypto_auth_hmacsha512256_BYTES);

Nonce make_nonce() {
    static const int ready = sodium_init();  // chooses the source of randomness, once
    (void)ready;
    Nonce nonce;
    randombytes_buf(nonce.data(), nonce.size());
    return nonce;
}

Mac mac_of(const Secret& secret, std::string_view role,
           std::initializer_list<std::span<const std::uint8_t>> parts) {
    crypto_auth_hmacsha512256_state state;
    crypto_auth_hmacsha512256_init(&state, secret.data(), secret.size());
    crypto_auth_hmacsha512256_update(&state, reinterpret_cast<const unsigned char*>(role.data()),
                                     role.size());
    for (const auto part : parts)
        crypto_auth_hmacsha512256_update(&state, part.data(), part.size());
    Mac mac;
    crypto_auth_hmacsha512256_final(&state, mac.data());
    return mac;
}

bool same_mac(const Mac& a, const Mac& b) {
    return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace xccl
