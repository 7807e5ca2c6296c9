// How the processes of one host get the segment that one of them has made.
//
// The maker listens on an abstract Unix socket with a random name, which travels through the
// rendezvous. Both sides prove that they know the communicator's secret before a descriptor is
// handed over or believed, and the kernel vouches that they have the same user id:
//
//     maker   -> visitor   challenge
//     visitor -> maker     answer, MAC(secret, "visitor", challenge, answer)
//     maker   -> visitor   MAC(secret, "maker", challenge, answer), and the descriptor
//
// Strangers, silent visitors and garbage are let go of and cost the others nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/owned_descriptor.h"
#include "base/status.h"
#include "transport/segment.h"
#include "trust/secret.h"

namespace xccl {

// Asked now and then by whoever waits; a failure ends the wait and is what it comes to.
using Interruption = std::function<Status()>;

class SegmentHandover {
  public:
    // Visitors may come from here on; they wait until serve().
    static Result<std::unique_ptr<SegmentHandover>> open(std::shared_ptr<Segment> segment,
                                                         const Secret& secret);

    const std::string& name() const { return name_; }

    // Hands the segment to that many other processes.
    Status serve(int receivers, Deadline deadline, const Interruption& interrupted = {});

  private:
    SegmentHandover(std::shared_ptr<Segment> segment, const Secret& secret)
        : segment_(std::move(segment)), secret_(secret) {}

    const std::shared_ptr<Segment> segment_;
    const Secret secret_;
    std::string name_;
    OwnedDescriptor listener_;
};

// Maps the segment that is handed over under that name.
Result<std::shared_ptr<Segment>> fetch_segment(const std::string& name, const Secret& secret,
                                               const SegmentLayout& layout, Deadline deadline,
                                               const Interruption& interrupted = {});

}  // namespace xccl
