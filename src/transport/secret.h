// The secret of a communicator, and proofs of knowing it.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace xccl {

using Secret = std::array<std::uint8_t, 32>;
using Nonce = std::array<std::uint8_t, 32>;  // never used twice
using Mac = std::array<std::uint8_t, 32>;

Nonce make_nonce();

// Authenticates `role` and then the parts, one after the other. The role keeps a proof from being
// sent back as the other side's; parts have fixed lengths.
Mac mac_of(const Secret& secret, std::string_view role,
           std::initializer_list<std::span<const std::uint8_t>> parts);

bool same_mac(const Mac& a, const Mac& b);  // in constant time

}  // namespace xccl
