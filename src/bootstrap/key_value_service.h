// What launchers offer to the processes of a job before those know of each other: a place where one
// of them leaves a value and the others find it.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/status.h"

namespace xccl {

class KeyValueService {
  public:
    KeyValueService() = default;
    KeyValueService(const KeyValueService&) = delete;
    KeyValueService& operator=(const KeyValueService&) = delete;
    KeyValueService(KeyValueService&&) = delete;
    KeyValueService& operator=(KeyValueService&&) = delete;
    virtual ~KeyValueService() = default;
    // Rank 0's `value` (the others' is not looked at), in all processes. Collective; `key` must not
    // have been used before. Keys and values are short and without white space, ';' and '='.
    //   timeout_error  not all came in time; afterwards the service is of no use any more
    virtual Result<std::string> from_rank_0(const std::string& key, const std::string& value,
                                            Deadline deadline) = 0;
};

}  // namespace xccl
