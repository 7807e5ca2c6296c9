// How failures are noticed and told.
//
// On one host the segment says it all: a record of the first failure, and a word per process that
// the kernel marks when it dies. Between hosts the control star carries notices, and its broken
// connections tell of deaths.
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "bootstrap/control_star.h"
#include "comm/membership.h"
#include "transport/segment.h"

namespace xccl {

class FailureWatch {
  public:
    // `star` null: all ranks are on this host.
    FailureWatch(const Membership* membership, std::shared_ptr<Segment> segment,
                 std::vector<int> local_ranks, std::unique_ptr<ControlStar> star);
    FailureWatch(const FailureWatch&) = delete;
    FailureWatch& operator=(const FailureWatch&) = delete;
    FailureWatch(FailureWatch&&) = delete;
    FailureWatch& operator=(FailureWatch&&) = delete;
    ~FailureWatch();

    // Has anybody told of a failure? One load.
    bool told() const { return segment_->failure().published(); }
    // What somebody else has told, or the death of a peer. Cheap: some loads per local rank.
    Status look();
    // Has `peer`, on this host, left in peace?
    bool has_left(int peer) const;
    // Tells all ranks; only the first failure of a communicator is told. Returns that one.
    Status tell(const Status& failure, int culprit_rank);
    // Says that this rank's silence is no death from now on. It still hears and tells.
    void say_farewell();
    // Leaves in peace.
    void leave();

  private:
    struct Relay;
    const Membership* const membership_;
    const std::shared_ptr<Segment> segment_;
    const std::vector<int> local_ranks_;
    const int my_index_;
    std::unique_ptr<Relay> relay_;
};

}  // namespace xccl
