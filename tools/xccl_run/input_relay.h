// Standard input, when it is a terminal, for rank 0. The job is not the terminal's foreground: if
// it read there itself, it would be stopped.
#pragma once

#include <string>

#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl::run {

class InputRelay {
  public:
    // Starts to relay if standard input is a terminal.
    static Result<InputRelay> start();

    // What rank 0 reads: standard input itself, or the end of a pipe.
    int for_rank_0() const;
    // To be called when rank 0 has its copy.
    void close_reader() { reader_.reset(); }

    // -1, or the descriptor to poll for reading, or writing.
    int wants_read() const;
    int wants_write() const;
    void read_some();
    void write_some();

  private:
    OwnedDescriptor reader_, writer_;
    std::string pending_;
    bool ended_ = false;
};

}  // namespace xccl::run
