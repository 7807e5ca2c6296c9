// The memory of this process that its peers on this host may read where it lies, and write where it
// offers that: what xcclMemAlloc gives. One memfd per process, which grows; an allocation is a
// range of it with a mapping of its own. Peers map the whole file (peer_heap.h), so what they
// read or write cannot go away under them, whatever becomes of this process.
//
//     file       [ sign | allocation | hole | allocation | ...          ]  it never shrinks
//     mappings          ^ ours, writable      ^ ours                       one per allocation
//     a peer's   [ all of it                                            ]
//
// What is freed goes back to the system at once. Where no such memory can be had (a limit on the
// size of files, a child of fork()), an allocation is ordinary memory, which is never read in
// place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "base/owned_descriptor.h"
#include "base/status.h"

namespace xccl {

// At the start of the file: who opens it sees whether it is the one that was meant.
struct HeapSign {
    static constexpr std::uint64_t kMagic = 0x78636c2d68656170;  // "xcl-heap"
    std::uint64_t magic;
    std::uint64_t token;  // drawn at random
};

// Where a process's heap is to be found: in a rank's block of the shared segment.
struct HeapAddress {
    std::atomic<std::uint64_t> token;  // 0: none yet. Stored last, and loaded first.
    std::atomic<std::int32_t> pid;
    std::atomic<std::int32_t> descriptor;
};

// Of the file, as the kernel lists its mappings: "/memfd:xccl-heap". It never shrinks.
constexpr char kHeapName[] = "xccl-heap";

class SharedHeap {
  public:
    static SharedHeap& of_this_process();

    SharedHeap() = default;
    SharedHeap(const SharedHeap&) = delete;
    SharedHeap& operator=(const SharedHeap&) = delete;
    SharedHeap(SharedHeap&&) = delete;
    SharedHeap& operator=(SharedHeap&&) = delete;
    ~SharedHeap() = default;

    // `bytes` (at least 1) of zeros, from the start of a page.
    Result<void*> allocate(std::size_t bytes);
    Status free(void* memory);

    // Where [data, data + bytes) lies in the file; nothing if it is not all in one allocation.
    std::optional<std::uint64_t> offset_of(const void* data, std::size_t bytes) const;
    // Another one whenever an answer of offset_of() may have changed.
    std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

    // Tells peers where to find it. Only if offset_of() has found something.
    void sign(HeapAddress* address) const;

  private:
    static constexpr std::uint64_t kNoOffset = ~std::uint64_t{0};
    struct Allocation {
        std::size_t bytes = 0;
        std::uint64_t offset = kNoOffset;  // none: ordinary memory
    };

    bool open();
    Result<std::uint64_t> take(std::size_t bytes);
    void give_back(std::uint64_t offset, std::size_t bytes);
    void* map_shared(std::size_t bytes, std::uint64_t* offset);

    mutable std::mutex mutex_;
    std::map<std::uintptr_t, Allocation> allocations_;
    std::map<std::uint64_t, std::size_t> holes_;  // by offset; never side by side
    OwnedDescriptor file_;
    bool unavailable_ = false;
    std::int32_t owner_ = 0;  // the process that made it; a child of fork() is another
    std::uint64_t size_ = 0;
    std::uint64_t token_ = 0;
    std::atomic<std::uint64_t> generation_{1};
};

}  // namespace xccl
