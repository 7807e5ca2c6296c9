// A call as it crossed the C boundary: checked, with its v-arrays copied, not yet planned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/operation.h"
#include "device/kernels.h"
#include "xccl.h"

namespace xccl {

// The arguments of a v-variant, in elements, [nranks]: what is sent to, and received from, each
// rank.
struct VectorArguments {
    std::vector<std::uint64_t> send_counts, send_displacements;
    std::vector<std::uint64_t> recv_counts, recv_displacements;
};

struct Call {
    xcclColl_t coll = xcclCollAllReduce;
    bool is_send = false;  // of xcclCollSendRecv: send or receive; root is the peer
    xcclDataType_t type = xcclUint8;
    xcclRedOp_t op = xcclSum;
    bool premul = false;  // op was made by xcclRedOpCreatePreMulSum
    Scale scale{};        // of premul
    const void* send = nullptr;
    void* recv = nullptr;
    std::uint64_t count = 0;  // elements; 0 for the v-variants
    int root = -1;
    std::shared_ptr<const VectorArguments> vectors;  // of the v-variants
};

OperationDescriptor descriptor_of(const Call& call, std::uint64_t sequence);

}  // namespace xccl
