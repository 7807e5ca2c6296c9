// How process 0 of a job hands one value to all the others.
//
//     visitor -> process 0   the number of the value, its own rank, the size of the job
//     visitor <- process 0   the value, sealed; or "not yet"; or why not
//
// Both within a handshake (trust/handshake.h), one connection each. Process 0 serves while it is in
// hand_out() and leaves nothing behind: no thread, no socket. Who comes early knocks again.
#pragma once

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "bootstrap/meeting_place.h"

namespace xccl {

struct Visit {
    std::uint64_t number = 0;  // counts the values of a job, from 0
    int rank = 0;
    int size = 1;
};

constexpr std::size_t kMaxHandedBytes = 2048;

// Process 0's side: returns when all others have fetched `value`, of at most kMaxHandedBytes. A
// failed value is handed to them too, and returned.
//   timeout_error  not all came; names those missing
//   other          as MeetingPlace::listen()
Status hand_out(const MeetingPlace& place, const Visit& self, const Result<std::string>& value,
                Deadline deadline);

// The others' side.
//   timeout_error  process 0 was not met in time; tells the last attempt's failure
//   invalid_usage  process 0 counts differently
//   other          what failed in process 0
Result<std::string> fetch(const MeetingPlace& place, const Visit& self, Deadline deadline);

}  // namespace xccl
