#include "data/permutation.h"

namespace xccl::trainer {
namespace {

constexpr int kRounds = 4;  // the least that passes for random (Luby and Rackoff, 1988)

}  // namespace

// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014) after its increment.
std::uint64_t mixed_bits(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

Permutation::Permutation(std::uint64_t count, std::uint64_t key)
    : count_(count), key_(key), half_bits_(1) {
    while (half_bits_ < 32 && (std::uint64_t{1} << (2 * half_bits_)) < count) ++half_bits_;
}

std::uint64_t Permutation::operator()(std::uint64_t index) const {
    do {
        index = shuffle(index);
    } while (index >= count_);
    return index;
}

std::uint64_t Permutation::shuffle(std::uint64_t value) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = value >> half_bits_;
    std::uint64_t right = value & mask;
    for (std::uint64_t round = 0; round < kRounds; ++round) {
        const std::uint64_t mixed = mixed_bits(right ^ mixed_bits(key_ + round)) & mask;
        const std::uint64_t next = left ^ mixed;
        left = right;
        right = next;
    }
    return left << half_bits_ | right;
}

}  // namespace xccl::trainer
