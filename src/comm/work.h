// One issued call on its way through a stream and an engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/status.h"
#include "comm/call.h"
#include "executor/engine.h"

namespace xccl {

class Communicator;

struct Work {
    std::shared_ptr<Communicator> comm;
    Call call;
    std::atomic<bool> may_start{false};  // its stream has reached it; set by the stream
    std::atomic<bool> done{false};       // result is valid; set by the communicator, release
    Ticket ticket = 0;                   // once submitted; guarded by the communicator's lock
    std::uint64_t record = 0;            // its line in the flight recorder
    Status result;
};

}  // namespace xccl
