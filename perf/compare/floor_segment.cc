#include "floor_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <thread>

#include "library.h"
#include "measure/cores.h"

namespace xccl::compare {
namespace {

constexpr std::size_t kSegmentPage = 4096;

std::size_t whole_segment_pages(std::size_t bytes) {
    return (bytes + kSegmentPage - 1) / kSegmentPage * kSegmentPage;
}

[[noreturn]] void fail(const std::string& what) {
    give_up("floor: " + what + ": " + std::strerror(errno));
}

// Where the memory of rank 0 can be opened by the others: a line in a file of the folder.
void tell_place(const std::string& path, int memory) {
    const std::string part = path + ".part";  // nobody reads half a line
    std::ofstream(part) << "/proc/" << getpid() << "/fd/" << memory << '\n';
    if (std::rename(part.c_str(), path.c_str()) != 0) fail(path + " cannot be written");
}

int open_told(const std::string& path) {
    constexpr auto kPatience = std::chrono::seconds(60);
    constexpr auto kPause = std::chrono::milliseconds(1);
    const auto start = std::chrono::steady_clock::now();
    std::string place;
    while (!std::getline(std::ifstream(path), place)) {
        if (std::chrono::steady_clock::now() - start > kPatience) {
            give_up("floor: rank 0 has not made its memory within a minute");
        }
        std::this_thread::sleep_for(kPause);
    }
    return open(place.c_str(), O_RDWR | O_CLOEXEC);
}

}  // namespace

// The memory has no name that would stay behind when a rank dies.
FloorSegment::FloorSegment(int rank, int rank_count, const std::string& folder)
    : rank_(rank), rank_count_(rank_count), is_crowded_(perf::core_count() < rank_count) {
    const std::string path = folder + "/floor";
    const std::size_t bytes = kRegionBytes * static_cast<std::size_t>(rank_count);
    if (rank == 0) {
        file_ = memfd_create("xccl-floor", MFD_CLOEXEC);
        if (file_ < 0 || ftruncate(file_, static_cast<off_t>(bytes)) != 0) {
            fail("the segment cannot be made");
        }
        tell_place(path, file_);
    } else {
        file_ = open_told(path);
        if (file_ < 0) fail("the segment of rank 0 cannot be opened");
    }
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory == MAP_FAILED) fail("the segment cannot be mapped");
    base_ = static_cast<char*>(memory);
    // As many ranks to each core: left to itself, the kernel moves ranks that yield to and fro.
    if (is_crowded_) perf::take_core(rank % std::max(1, perf::core_count()));
}

std::size_t FloorSegment::take(std::size_t bytes) {
    constexpr std::size_t kAligned = sizeof(FloorCounter);
    const std::size_t offset = taken_;
    taken_ += (bytes + kAligned - 1) / kAligned * kAligned;
    if (taken_ > kOwnBytes) give_up("floor: its algorithms need more than their part of a segment");
    const std::size_t first = offset / kSegmentPage * kSegmentPage;
    for (int rank = 0; rank < rank_count_; ++rank) {
        if (madvise(at<char>(rank, first), whole_segment_pages(taken_ - first),
                    MADV_POPULATE_WRITE) != 0) {
            fail("no memory for the segment");
        }
    }
    return offset;
}

void* FloorSegment::allocate(std::size_t bytes) {
    const std::size_t length = whole_segment_pages(bytes);
    if (allocated_ + length > kRegionBytes) give_up("floor: more buffers than a segment holds");
    char* memory = at<char>(rank_, allocated_);
    if (madvise(memory, length, MADV_POPULATE_WRITE) != 0) fail("no memory for a buffer");
    allocated_ += length;
    held_bytes_ += length;
    return memory;
}

void FloorSegment::free(std::size_t bytes) {
    held_bytes_ -= whole_segment_pages(bytes);
    if (held_bytes_ > 0) return;
    const auto start =
        static_cast<off_t>(static_cast<std::size_t>(rank_) * kRegionBytes + kOwnBytes);
    fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start,
              static_cast<off_t>(allocated_ - kOwnBytes));
    allocated_ = kOwnBytes;
    populated_ = kOwnBytes;
}

bool FloorSegment::holds(const void* memory) const {
    const char* start = at<char>(rank_, kOwnBytes);
    const char* place = static_cast<const char*>(memory);
    return place >= start && place < at<char>(rank_, kRegionBytes);
}

void FloorSegment::populate(std::size_t offset, std::size_t bytes) {
    const std::size_t end = offset + whole_segment_pages(bytes);
    if (end <= populated_) return;
    for (int rank = 0; rank < rank_count_; ++rank) {
        if (madvise(at<char>(rank, populated_), end - populated_, MADV_POPULATE_WRITE) != 0) {
            fail("no memory for the buffers");
        }
    }
    populated_ = end;
}

}  // namespace xccl::compare
