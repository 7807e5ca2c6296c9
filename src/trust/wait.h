// Waiting for one descriptor, with an end: a deadline, or somebody who sets `abort`.
#pragma once

#include <poll.h>

#include <atomic>

#include "base/deadline.h"
#include "base/status.h"

namespace xccl {

// `events` as for poll(2). Returns when any is there, or an error or hang-up that the next call on
// `fd` will tell. `abort` may be null.
//   timeout_error  the deadline passed         invalid_usage  *abort was set
Status wait_for(int fd, short events, Deadline deadline, const std::atomic<bool>* abort);

// Is there something to read, or somebody to accept, now? accept(2) cannot tell where descriptors
// have run out: it says so before it looks.
bool is_readable(int fd);

// The pause between two attempts. False if the deadline passed or *abort was set meanwhile.
bool pause_for(int milliseconds, Deadline deadline, const std::atomic<bool>* abort);

}  // namespace xccl
