// Lets the ranks of one process share one mapping of their communicator's segment.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "transport/segment.h"

namespace xccl {

// `key` names the communicator, alike in all its ranks. One rank of the process is the maker; it
// runs `make`, and all `users` of them (the maker included) get what came of it.
Result<std::shared_ptr<Segment>> share_segment(
    const std::string& key, int users, bool maker,
    const std::function<Result<std::shared_ptr<Segment>>()>& make, Deadline deadline);

}  // namespace xccl
