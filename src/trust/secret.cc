#include "trust/secret.h"

#include <sodium.h>

#include "base/assert.h"

namespace xccl {
namespace {

static_assert(sizeof(Secret) == crypto_generichash_KEYBYTES);
static_assert(sizeof(Mac) == crypto_generichash_BYTES);

// sodium_init() is idempotent and thread-safe; once per process is enough.
void ready() {
    static const int state = sodium_init();
    XCCL_ASSERT(state >= 0);
}

void absorb(crypto_generichash_state* state, std::span<const std::uint8_t> bytes) {
    crypto_generichash_update(state, bytes.data(), bytes.size());
}

}  // namespace

void random_bytes(void* data, std::size_t size) {
    ready();
    randombytes_buf(data, size);
}

Nonce make_nonce() {
    Nonce nonce;
    random_bytes(nonce.data(), nonce.size());
    return nonce;
}

Secret make_secret() {
    return make_nonce();
}

Mac mac_of(const Secret& secret, std::string_view role,
           std::initializer_list<std::span<const std::uint8_t>> parts) {
    ready();
    crypto_generichash_state state;
    crypto_generichash_init(&state, secret.data(), secret.size(), sizeof(Mac));
    absorb(&state, bytes_of(role));
    absorb(&state, bytes_of(std::string_view("\0", 1)));
    for (const auto part : parts) absorb(&state, part);
    Mac mac;
    crypto_generichash_final(&state, mac.data(), mac.size());
    return mac;
}

bool same_mac(const Mac& a, const Mac& b) {
    return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Secret derive(const Secret& secret, std::string_view label, std::string_view context) {
    return mac_of(secret, "derive", {bytes_of(label), bytes_of({"\0", 1}), bytes_of(context)});
}

Secret secret_from_text(std::string_view text) {
    return derive(Secret{}, "text", text);
}

std::string to_hex(std::string_view bytes) {
    std::string hex(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), bytes_of(bytes).data(), bytes.size());
    hex.pop_back();
    return hex;
}

bool from_hex(std::string_view hex, void* bytes, std::size_t size) {
    if (hex.size() != 2 * size) return false;
    std::size_t length = 0;
    const char* end = nullptr;
    const int result = sodium_hex2bin(static_cast<unsigned char*>(bytes), size, hex.data(),
                                      hex.size(), nullptr, &length, &end);
    return result == 0 && length == size && end == hex.data() + hex.size();
}

}  // namespace xccl
