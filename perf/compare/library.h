// A library that is compared: how a rank opens it and how it all-reduces. One .cc file per library
// defines open_library(); the loop around it (worker.cc) is the same for all.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace xccl::compare {

class Library {
  public:
    Library() = default;
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    Library(Library&&) = delete;
    Library& operator=(Library&&) = delete;
    virtual ~Library() = default;
    virtual int rank() const = 0;
    virtual int rank_count() const = 0;
    // Version and settings, for the report.
    virtual std::string description() const = 0;
    // Names that prepare() takes; one of them is chosen for each size before anything counts. A
    // library that chooses by itself has the one name "default".
    virtual std::vector<std::string> algorithms() const { return {"default"}; }
    // Untimed: what a program would do once for buffers that it uses again and again. False if the
    // algorithm is not for buffers of this size.
    virtual bool prepare(std::span<const float> input, std::span<float> output,
                         const std::string& algorithm) = 0;
    // Timed: sums the prepared input of all ranks into the prepared output, out of place.
    virtual void all_reduce() = 0;
    // Untimed, before the buffers go away.
    virtual void release() {}
};

// `arguments` are those of the command line that only this library needs.
std::unique_ptr<Library> open_library(std::span<char*> arguments);

// Prints the text and ends the process: a rank of a comparison has nothing to repair.
[[noreturn]] void give_up(const std::string& text);

}  // namespace xccl::compare
