// Hard bounds. Every queue, retry and wait has one; those that depend on each other are tied here.
#pragma once

#include <cstdint>

namespace xccl {

constexpr int kMaxRanks = 1 << 16;  // ranks of one communicator; chunk indices are 16 bits
constexpr int kMaxLanes = 16;       // parallel copies of a schedule, each with connections
constexpr int kMaxLocalRanks =
    1024;  // of one communicator on one host: shared memory has n^2 pairs
constexpr std::size_t kMaxReduceSources = 64;   // sources of one n-ary reduction step
constexpr std::size_t kFlaggedSlotBytes = 256;  // a small message with its flag: four cache lines
constexpr std::uint32_t kFlaggedSlotCount = 8;  // in flight per connection before credit is read
constexpr std::size_t kMaxHostNameBytes = 64;
constexpr std::size_t kMaxErrorTextBytes = 448;  // of the error record that ranks share

}  // namespace xccl
