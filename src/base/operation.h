// What a rank says of the operation it is in: enough for a peer to see that the two disagree, and
// for people to see where everyone is. Published in a line of shared memory or sent along with the
// first frame; never parsed without checking.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "xccl.h"

namespace xccl {

struct OperationDescriptor {
    std::uint64_t sequence = 0;  // of collectives on this communicator, from 1; 0: none yet
    std::uint64_t count = 0;     // elements; of the v-variants see count_of_shares()
    std::int32_t root = -1;      // or peer
    std::uint8_t coll = 0;       // xcclColl_t
    std::uint8_t datatype = 0;   // xcclDataType_t
    std::uint8_t op = 0;         // xcclRedOp_t; created operators are kPremulOp; or kSend, kReceive
    std::uint8_t reserved = 0;
    bool operator==(const OperationDescriptor&) const = default;
};
static_assert(sizeof(OperationDescriptor) == 24);

constexpr std::uint8_t kPremulOp = 255;
constexpr std::uint8_t kSend = 0, kReceive = 1;  // `op` of xcclCollSendRecv

// `count` of an all-gatherv or reduce-scatterv: the sum of the ranks' shares, and a hash of them in
// the bits that no sum reaches. Of an all-to-allv it is 0: every rank has counts of its own.
std::uint64_t count_of_shares(std::span<const std::uint64_t> shares);

// The barrier in which a rank finalizes: it issues nothing after that. Others have count 1.
constexpr std::uint64_t kFinalBarrierCount = 0;
constexpr bool is_final(const OperationDescriptor& operation) {
    return operation.sequence > 0 && operation.coll == xcclCollBarrier &&
           operation.count == kFinalBarrierCount;
}

// 32 bits that differ, almost surely, when sequence, collective, count, datatype, op or root do.
std::uint32_t signature_of(const OperationDescriptor& operation);

// "all_reduce #17 of 1048576 float32, sum"; "send of 1048576 float32 to rank 1"
std::string describe(const OperationDescriptor& operation);

// What differs: "count 2 here, 262144 there; op sum here, max there". Empty if nothing does.
std::string difference(const OperationDescriptor& here, const OperationDescriptor& there);

}  // namespace xccl
