// A library that is compared: how a rank opens it, and how it runs a collective of float32. One .cc
// file per library defines open_library(); the loop around it (worker.cc) is the same for all.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace xccl::compare {

enum class Operation { kAllReduce, kAllGather, kReduceScatter, kBroadcast, kAlltoall };

// kOrdinary: as any program has it. kRegistered: from the library's own allocator.
enum class Pages { kOrdinary, kRegistered };

// What one rank is to do. Spans and their sizes by operation, for n ranks and blocks of c elements:
//
//                    input  output
//   all-reduce       c      c        in place: the same span
//   all-gather       c      n c
//   reduce-scatter   n c    c        block r of the sum is rank r's
//   broadcast        c      c        always in place, as MPI_Bcast is, and from rank 0
//   all-to-all       n c    n c      block r of the input goes to rank r
struct Call {
    Operation operation = Operation::kAllReduce;
    std::span<const float> input;
    std::span<float> output;
    std::string algorithm;  // one of algorithms()
    // The buffers change from call to call, so that nothing can be bound to these alone.
    bool rotates = false;

    bool in_place() const { return input.data() == output.data(); }
};

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

    // Buffers are taken from here and given back here, untimed. The base class has page-aligned,
    // touched, private anonymous memory, and null where registered pages are asked for: this
    // library has none.
    virtual void* allocate(std::size_t bytes, Pages pages);
    virtual void free(void* memory, std::size_t bytes, Pages pages);

    // Untimed: what a program would do once for buffers that it uses again and again. Called before
    // every run() where the buffers rotate, without a release() between; it must be quick then.
    // False if the library does not do this, on all ranks alike.
    virtual bool prepare(const Call& call) = 0;
    // Timed: the call that was prepared last.
    virtual void run() = 0;
    // Untimed, before the buffers go away.
    virtual void release() {}
};

// `arguments` are those of the command line that only this library needs.
std::unique_ptr<Library> open_library(std::span<char*> arguments);

// Prints the text and ends the process: a rank of a comparison has nothing to repair.
[[noreturn]] void give_up(const std::string& text);

}  // namespace xccl::compare
