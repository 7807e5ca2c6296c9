// The buffers of one request: one pair of input and output, or, where calls are cold, several that
// are used in turn.
//
// Cold buffers are written once in each rotation, all together, and thrown out of all caches at
// once: their next readers find them in memory, however few pairs there are. Outputs get a value
// then that no result has, so that one which was not written is seen.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "library.h"
#include "pattern.h"
#include "request.h"

namespace xccl::compare {

// Memory of the library's for as long as this lives; null where it has no such pages.
class Memory {
  public:
    Memory(Library& library, std::size_t bytes, Pages pages)
        : library_(library), bytes_(bytes), pages_(pages), start_(library.allocate(bytes, pages)) {}
    ~Memory() {
        if (start_ != nullptr) library_.free(start_, bytes_, pages_);
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    Memory(Memory&&) = delete;
    Memory& operator=(Memory&&) = delete;
    void* start() const { return start_; }

  private:
    Library& library_;
    std::size_t bytes_;
    Pages pages_;
    void* start_;
};

class Buffers {
  public:
    Buffers(Library& library, const Request& request);
    // False: the library has no such pages.
    bool are_there() const { return is_there_; }
    Call call(std::size_t turn) const;
    // Before the calls `first`, `first` + 1, ..., each of which has a pair of its own.
    void rewrite(int first);
    // Of the last rewritten pairs, `count` of which have been used. Empty if all is right.
    std::string difference(int first, std::size_t count) const;

  private:
    std::span<float> input(std::size_t turn) const;
    std::span<float> output(std::size_t turn) const;

    const Request& request_;
    Shape shape_;
    bool one_buffer_;  // input and output are the same
    std::size_t stride_;
    Pattern pattern_;
    Memory inputs_;
    Memory outputs_;
    bool is_there_;
};

}  // namespace xccl::compare
