#include "transport/barrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace xccl {
namespace {

bool membarrier(int command) {
    return syscall(SYS_membarrier, command, 0, 0) == 0;
}

// Enrolment lasts as long as the process and survives fork, so that a plain memo is enough.
bool enrol_once(std::atomic<int>* memo, int command) {
    constexpr int kUnknown = 0, kYes = 1, kNo = 2;
    int known = memo->load(std::memory_order_relaxed);
    if (known == kUnknown) {
        known = membarrier(command) ? kYes : kNo;
        memo->store(known, std::memory_order_relaxed);
    }
    return known == kYes;
}

}  // namespace

bool enrol_in_barrier(BarrierReach reach) {
    static std::atomic<int> process_memo{0}, host_memo{0};
    return reach == BarrierReach::kProcess
               ? enrol_once(&process_memo, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
               : enrol_once(&host_memo, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
}

bool barrier_everywhere(BarrierReach reach) {
    return enrol_in_barrier(reach) &&
           membarrier(reach == BarrierReach::kProcess ? MEMBARRIER_CMD_PRIVATE_EXPEDITED
                                                      : MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

}  // namespace xccl
