// Passes on what processes write, line by line, each with the writer's number in front.
//
// Lines stay whole, whoever writes at the same time; what has no end of line yet waits for one, or
// for the end of the writer. Never blocks: what the reader does not take now waits here, and once
// that is much, the writers wait too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace xccl::run {

// Lines on their way to one descriptor.
class LineSink {
  public:
    explicit LineSink(int descriptor) : descriptor_(descriptor) {}

    void put(std::string_view prefix, std::string_view line);
    // Writes a piece that cannot block once poll() has found the descriptor writable.
    void write_some();
    bool wants_write() const { return !closed_ && sent_ < pending_.size(); }
    bool is_full() const;
    // Nobody reads any more.
    bool is_closed() const { return closed_; }
    int descriptor() const { return descriptor_; }

  private:
    const int descriptor_;
    std::string pending_;
    std::size_t sent_ = 0;
    bool closed_ = false;
};

// One writer's bytes, cut into lines.
class LineSource {
  public:
    LineSource(std::string prefix, LineSink* sink) : prefix_(std::move(prefix)), sink_(sink) {}

    void take(std::string_view bytes);
    // What is left of a line without an end.
    void finish();
    LineSink* sink() const { return sink_; }

  private:
    std::string prefix_;
    LineSink* sink_;
    std::string line_;
};

}  // namespace xccl::run
