// A full memory barrier on every running thread that might ring a doorbell, paid for by the one
// that is about to sleep (membarrier). Those who publish need no fence of their own.
//
// A process must enrol before others can count on reaching it. Where the kernel refuses
// (a sandbox, an old kernel), sleepers must wake up by themselves now and then.
#pragma once

#include <cstdint>

namespace xccl {

enum class BarrierReach : std::uint8_t {
    kProcess,  // the threads of this process
    kHost,     // every enrolled process of this host
};

// Lets barriers of this reach hit the calling process. Cheap after the first time; thread-safe.
// False where the kernel has none.
bool enrol_in_barrier(BarrierReach reach);

// False where the kernel has none. Costs some microseconds.
bool barrier_everywhere(BarrierReach reach);

}  // namespace xccl
