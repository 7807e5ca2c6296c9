#include "comm/solo.h"

#include "base/datatypes.h"
#include "device/kernels.h"

namespace xccl {
namespace {

void move(const Call& call, std::uint64_t from, std::uint64_t to, std::uint64_t count) {
    const std::size_t size = element_bytes(call.type);
    const auto* source = static_cast<const std::byte*>(call.send) + from * size;
    auto* destination = static_cast<std::byte*>(call.recv) + to * size;
    if (count == 0) return;
    if (!call.premul) {
        if (source != destination) copy_bytes(destination, source, count * size);
        return;
    }
    const ReduceSource sources[] = {{source, false, true}};
    const ReduceDestination destinations[] = {{destination, false}};
    reduce({call.type, ReduceKind::kSum, sources, destinations, count, call.scale});
}

}  // namespace

Status run_solo(const Call& call) {
    switch (call.coll) {
        case xcclCollBarrier:
            return ok_status();
        case xcclCollAllGatherv:
            move(call, 0, call.vectors->recv_displacements[0], call.vectors->recv_counts[0]);
            return ok_status();
        case xcclCollReduceScatterv:
            move(call, 0, 0, call.vectors->send_counts[0]);
            return ok_status();
        case xcclCollAlltoAllv:
            move(call, call.vectors->send_displacements[0], call.vectors->recv_displacements[0],
                 call.vectors->recv_counts[0]);
            return ok_status();
        case xcclCollSendRecv:
            return invalid_usage(
                "a communicator of one rank has no peer; sends and receives to oneself need a "
                "group that holds both");
        default:
            move(call, 0, 0, call.count);
            return ok_status();
    }
}

Status run_solo_exchange(const Call& send, const Call& receive) {
    if (send.count != receive.count || send.type != receive.type) {
        return invalid_usage(
            "a send of {} {} to oneself meets a receive of {} {}; both must be equal", send.count,
            datatype_name(send.type), receive.count, datatype_name(receive.type));
    }
    if (send.count > 0 && send.send != receive.recv) {
        copy_bytes(static_cast<std::byte*>(receive.recv), static_cast<const std::byte*>(send.send),
                   send.count * element_bytes(send.type));
    }
    return ok_status();
}

}  // namespace xccl
