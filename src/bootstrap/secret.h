// Secrets of 32 bytes, and what is derived from them. All cryptography is libsodium's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace xccl {

using Secret = std::array<std::uint8_t, 32>;
using Tag = std::array<std::uint8_t, 32>;

void random_bytes(void* data, std::size_t size);
Secret random_secret();

// Keyed BLAKE2b: a message authentication code, and a way to derive keys. Whoever lacks `key` can
// neither compute nor predict it.
Tag authenticate(const Secret& key, std::string_view message);
// A key for one use; `label` keeps the uses apart, `context` the instances.
Secret derive(const Secret& key, std::string_view label, std::string_view context = {});
// A secret that people typed or stored as text.
Secret secret_from_text(std::string_view text);

// In constant time.
bool equal_tags(const Tag& a, const Tag& b);

std::string to_hex(std::string_view bytes);
// False unless `hex` is exactly 2 * size hex digits.
bool from_hex(std::string_view hex, void* bytes, std::size_t size);

}  // namespace xccl
