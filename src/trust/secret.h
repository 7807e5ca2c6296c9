// Secrets of 32 bytes, proofs of knowing one, and what is derived from them. All cryptography is
// libsodium's: keyed BLAKE2b, which serves as a MAC and for deriving keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace xccl {

using Secret = std::array<std::uint8_t, 32>;
using Nonce = std::array<std::uint8_t, 32>;  // never used twice
using Mac = std::array<std::uint8_t, 32>;

void random_bytes(void* data, std::size_t size);
Nonce make_nonce();
Secret make_secret();

// Authenticates `role` and then the parts, one after the other. Whoever lacks the secret can
// neither compute nor predict it. The role keeps a proof from being sent back as the other side's;
// no role contains a zero byte, and the caller sees to it that parts cannot be cut otherwise.
Mac mac_of(const Secret& secret, std::string_view role,
           std::initializer_list<std::span<const std::uint8_t>> parts);
bool same_mac(const Mac& a, const Mac& b);  // in constant time

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// A key for one use; `label` keeps the uses apart, `context` the instances.
Secret derive(const Secret& secret, std::string_view label, std::string_view context = {});
// A secret that people typed or stored as text.
Secret secret_from_text(std::string_view text);

std::string to_hex(std::string_view bytes);
// False unless `hex` is exactly 2 * size hex digits.
bool from_hex(std::string_view hex, void* bytes, std::size_t size);

}  // namespace xccl
