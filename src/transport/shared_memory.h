// Links to ranks that map the same segment: processes of this host, or threads of this process. A
// link is a set of addresses; nothing is carried.
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "transport/link.h"
#include "transport/segment.h"

namespace xccl {

class SharedMemoryTransport : public Transport {
  public:
    // `local_ranks`: which rank of the communicator each local rank of the segment is.
    SharedMemoryTransport(std::shared_ptr<Segment> segment, int rank, std::vector<int> local_ranks);

    const char* name() const override { return segment_->is_private() ? "inproc" : "shm"; }
    Result<std::unique_ptr<Link>> connect(int peer) override;

    // The place of a rank of the communicator in the segment; -1: it is not on this host.
    int local_index(int rank) const;
    const std::shared_ptr<Segment>& segment() const { return segment_; }

  private:
    const std::shared_ptr<Segment> segment_;
    const std::vector<int> local_ranks_;
    const int my_index_;
    Outbox outbox_;
};

}  // namespace xccl
