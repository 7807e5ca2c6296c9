// The 32 bits that every message carries beside its sequence number: [epoch 8][hash 24].
//
// Of collectives, the hash covers this one and all before it; of point-to-point messages, how many
// exchanges the pair has had. Another epoch: what an earlier life of the mailbox left there, which
// counts as nothing. Another hash: the two ends are in different calls.
#pragma once

#include <cstdint>

#include "executor/mutant.h"

namespace xccl {

constexpr std::uint32_t message_signature(std::uint8_t epoch, std::uint64_t hash) {
    return static_cast<std::uint32_t>(epoch) << 24 | static_cast<std::uint32_t>(hash & 0xffffff);
}

// Of messages that tell lengths: another tile of the same block follows.
constexpr std::uint32_t with_more(std::uint32_t signature, bool more) {
    return signature ^ static_cast<std::uint32_t>(more);
}

inline bool same_epoch(std::uint32_t a, std::uint32_t b) {
    return (a ^ b) >> 24 == 0 || mutated(Mutant::kStaleEpoch);
}

// One more link of the chain of calls; a 64-bit finalizer, so that every bit of both counts.
constexpr std::uint64_t chain(std::uint64_t calls_so_far, std::uint64_t call) {
    std::uint64_t hash = (calls_so_far + 0x9e3779b97f4a7c15u) ^ (call * 0xff51afd7ed558ccdu);
    hash = (hash ^ (hash >> 32)) * 0xc4ceb9fe1a85ec53u;
    return hash ^ (hash >> 29);
}

}  // namespace xccl
