// Two ranks in different calls: who finds out what to say.
//
// Every message tells whether the calls agree so far, not where they parted. That comes from what
// both ranks have published: the first sequence number at which they differ.
#pragma once

#include <cstdint>
#include <optional>

#include "executor/engine_context.h"
#include "executor/lane_walker.h"

namespace xccl {

// The first call, of those that both are known to have made, in which `peer` differs from this
// rank. Empty if there is none.
std::optional<Status> find_mismatch(const EngineContext& context, int peer);

// What a message in a collective lane that does not fit `operation` means.
Status explain_bad_message(const EngineContext& context, const OperationDescriptor& operation,
                           const BadMessage& message);

}  // namespace xccl
