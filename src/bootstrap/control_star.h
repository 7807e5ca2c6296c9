// Who failed, told to everyone: one connection from every rank to rank 0, which passes notices on.
//
// A rank that finds a failure says so here; a rank whose connection breaks without a farewell is
// lost. No thread of its own and no blocking: whoever watches puts fd() into its poll set and calls
// poll() when it is readable. Not thread-safe.
//
// When rank 0 itself is lost everybody sees it; when it has left in peace, the star is silent.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "bootstrap/frames.h"

namespace xccl {

struct FailureNotice {
    int culprit_rank = -1;
    int result = 0;               // xcclResult_t
    std::uint64_t operation = 0;  // sequence number
    char text[kMaxErrorTextBytes] = {};
};

struct ControlEvent {
    enum class Kind { kFailure, kLost };
    Kind kind = Kind::kFailure;
    int rank = -1;         // who tells, or who is lost
    FailureNotice notice;  // of kFailure
};

class ControlStar {
  public:
    // Rank 0's streams are [rank_count], empty at 0; another rank's is one, to rank 0.
    ControlStar(int rank, std::vector<std::unique_ptr<FrameStream>> streams, OwnedDescriptor epoll);
    ControlStar(const ControlStar&) = delete;
    ControlStar& operator=(const ControlStar&) = delete;
    ControlStar(ControlStar&&) = delete;
    ControlStar& operator=(ControlStar&&) = delete;
    ~ControlStar();

    // Readable when poll() has something to do.
    int fd() const { return epoll_.get(); }
    // Tells all other ranks; never blocks. What the network does not take now leaves in poll().
    void send_failure(const FailureNotice& notice);
    // Says farewell: from now on nobody takes this rank's silence for death.
    void leave();
    // Reads and passes on what has come. Each loss is told once.
    std::vector<ControlEvent> poll();

  private:
    struct Spoke {
        std::unique_ptr<FrameStream> stream;  // null: not there, lost or left
        bool left = false;
        bool wants_write = false;
    };
    void read_spoke(int index, std::vector<ControlEvent>* events);
    void take_frame(int index, const Frame& frame, std::vector<ControlEvent>* events);
    void close_spoke(int index, std::vector<ControlEvent>* events);
    void send_to_all_but(int index, std::uint8_t kind, const std::string& body);
    void flush(int index);
    int rank_of(int index) const { return rank_ == 0 ? index : 0; }

    const int rank_;
    std::vector<Spoke> spokes_;
    OwnedDescriptor epoll_;
};

}  // namespace xccl
