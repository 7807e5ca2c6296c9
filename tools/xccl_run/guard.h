// The process group of a job, and a process that sees to it that the group does not outlive us.
//
// The guard is the group's first process, so that the group's number stays taken. It does nothing
// but wait for our end, which it sees however we end, and then kills the group, itself included.
#pragma once

#include <sys/types.h>

#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl::run {

class Guard {
  public:
    // To be called while this process has one thread.
    static Result<Guard> start();

    pid_t group() const { return process_; }
    // To all processes of the job that have not left the group.
    void signal(int number) const;
    // Kills what is left of the group, and the guard.
    void end();

  private:
    pid_t process_ = -1;
    OwnedDescriptor our_life_;  // the guard has the other end
};

}  // namespace xccl::run
