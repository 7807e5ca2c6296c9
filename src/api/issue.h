// The way of a checked call: into the group, onto a stream, or straight through to the
// communicator.
#pragma once

#include <memory>

#include "api/comm_object.h"
#include "api/group.h"
#include "base/status.h"
#include "comm/call.h"
#include "comm/host_stream.h"

namespace xccl {

using StreamTable = HandleTable<HostStream>;
StreamTable& stream_table();

Result<std::shared_ptr<HostStream>> stream_of(xcclStream_t stream);

Status issue_elsewhere(const CommTable::Pin& comm, const Call& call, xcclStream_t stream);

inline Status issue(const CommTable::Pin& comm, const Call& call, xcclStream_t stream) {
    const bool straight = stream == nullptr && !in_group() && !comm->alone();
    if (__builtin_expect(straight, 1)) return comm->communicator->run(call);
    return issue_elsewhere(comm, call, stream);
}

// One rank alone: the operation is a copy, done by the caller or when the stream gets there.
Status run_alone(CommObject& comm, const Call& call, const std::shared_ptr<HostStream>& stream);

}  // namespace xccl
