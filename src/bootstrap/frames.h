// Frames on a connection that has proved itself: a length, a kind, a body. Never blocks.
//
// The other end is trusted to be a rank, not to be free of bugs: a length beyond what it may send
// ends the connection, and memory grows only as bytes arrive.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl {

struct Frame {
    std::uint8_t kind = 0;
    std::string body;
};

class FrameStream {
  public:
    // `max_incoming`: of a body that the other end sends.
    FrameStream(OwnedDescriptor socket, std::size_t max_incoming);

    int fd() const { return socket_.get(); }

    // Queues. A shared body is sent to many without being copied.
    void send(std::uint8_t kind, std::shared_ptr<const std::string> body);
    void send(std::uint8_t kind, std::string body);
    // Sends what the socket takes now.
    Status flush();
    bool has_output() const { return !out_.empty(); }

    // The next whole frame, if it is there; reads what has come. After the last frame of a
    // connection that was closed, ended() is true.
    Result<std::optional<Frame>> receive();
    bool ended() const { return ended_; }

  private:
    Status read_some(bool* got_any);
    std::optional<Frame> cut_frame(Status* failure);

    OwnedDescriptor socket_;
    std::size_t max_incoming_;
    std::deque<std::shared_ptr<const std::string>> out_;
    std::size_t out_offset_ = 0;  // of out_.front(), already sent
    std::string in_;
    std::size_t in_offset_ = 0;  // of in_, already cut
    bool ended_ = false;
};

}  // namespace xccl
