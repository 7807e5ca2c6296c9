// A communicator of one rank: every operation is a copy, pre-multiplied where the operator says so.
#pragma once

#include "base/status.h"
#include "comm/call.h"

namespace xccl {

Status run_solo(const Call& call);

// A send to oneself and the receive that it meets.
Status run_solo_exchange(const Call& send, const Call& receive);

}  // namespace xccl
