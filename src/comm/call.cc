#include "comm/call.h"

namespace xccl {
namespace {

bool combines(xcclColl_t coll) {
    return coll == xcclCollAllReduce || coll == xcclCollReduce || coll == xcclCollReduceScatter ||
           coll == xcclCollReduceScatterv;
}

}  // namespace

OperationDescriptor descriptor_of(const Call& call, std::uint64_t sequence) {
    OperationDescriptor descriptor;
    descriptor.sequence = sequence;
    descriptor.count = call.count;
    if (call.coll == xcclCollAllGatherv)
        descriptor.count = count_of_shares(call.vectors->recv_counts);
    if (call.coll == xcclCollReduceScatterv)
        descriptor.count = count_of_shares(call.vectors->send_counts);
    descriptor.root = call.root;
    descriptor.coll = static_cast<std::uint8_t>(call.coll);
    descriptor.datatype = static_cast<std::uint8_t>(call.type);
    if (combines(call.coll)) {
        descriptor.op = call.premul ? kPremulOp : static_cast<std::uint8_t>(call.op);
    }
    if (call.coll == xcclCollSendRecv) descriptor.op = call.is_send ? kSend : kReceive;
    return descriptor;
}

}  // namespace xccl
