// Text that crosses the network for the eyes of those alone who know a secret, and that nobody else
// can have made: libsodium's secretbox (XSalsa20 and Poly1305) with a random nonce in front.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trust/secret.h"

namespace xccl {

constexpr std::size_t kSealBytes = 40;  // how much longer the sealed text is

std::string seal(const Secret& secret, std::string_view text);
// No value: made without the secret, or altered.
std::optional<std::string> unseal(const Secret& secret, std::string_view sealed);

}  // namespace xccl
