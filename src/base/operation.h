// What a rank says of the operation it is in: enough for a peer to see that the two disagree, and
// for people to see where everyone is. Published in a line of shared memory or sent along with the
// first frame; never parsed without checking.
#pragma once

#include <cstdint>
#include <string>

#include "xccl.h"

namespace xccl {

struct OperationDescriptor {
    std::uint64_t sequence = 0;  // of collectives on this communicator, from 1; 0: none yet
    std::uint64_t count = 0;     // elements; 0 for the v-variants, whose counts differ by rank
    std::int32_t root = -1;      // or peer
    std::uint8_t coll = 0;       // xcclColl_t
    std::uint8_t datatype = 0;   // xcclDataType_t
    std::uint8_t op = 0;         // xcclRedOp_t; created operators are kPremulOp
    std::uint8_t in_place = 0;   // may differ between ranks; not part of the signature
    bool operator==(const OperationDescriptor&) const = default;
};
static_assert(sizeof(OperationDescriptor) == 24);

constexpr std::uint8_t kPremulOp = 255;

// 32 bits that differ, almost surely, when sequence, collective, count, datatype, op or root do.
std::uint32_t signature_of(const OperationDescriptor& operation);

// "all_reduce #17 of 1048576 float32, sum"
std::string describe(const OperationDescriptor& operation);

// What differs: "count 2 here, 262144 there; op sum here, max there". Empty if nothing does.
std::string difference(const OperationDescriptor& here, const OperationDescriptor& there);

}  // namespace xccl
