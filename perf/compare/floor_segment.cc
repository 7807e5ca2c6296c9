#include "floor_segment.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "library.h"

namespace xccl::compare {
namespace {

constexpr std::size_t kSegmentPage = 4096;

std::size_t whole_segment_pages(std::size_t bytes) {
    return (bytes + kSegmentPage - 1) / kSegmentPage * kSegmentPage;
}

bool is_memory(const std::string& folder) {
    struct statfs system = {};
    return statfs(folder.c_str(), &system) == 0 && system.f_type == TMPFS_MAGIC;
}

// The file's path, or else a name for shm_open().
std::string name_of(const std::string& folder) {
    if (is_memory(folder)) return folder + "/floor";
    std::string name = "/floor";
    name.append(folder);
    std::replace(name.begin() + 1, name.end(), '/', '-');
    return name;
}

[[noreturn]] void fail(const std::string& what) {
    give_up("floor: " + what + ": " + std::strerror(errno));
}

bool outnumber_cores(int rank_count) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    return sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < rank_count;
}

// As many ranks to each core: left to itself, the kernel moves ranks that yield to and fro.
void take_a_core(int rank) {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    int place = rank % CPU_COUNT(&allowed);
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &allowed) || place-- != 0) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        sched_setaffinity(0, sizeof own, &own);
        return;
    }
}

}  // namespace

FloorSegment::FloorSegment(int rank, int rank_count, const std::string& folder)
    : rank_(rank), rank_count_(rank_count), is_crowded_(outnumber_cores(rank_count)) {
    const std::string name = name_of(folder);
    const bool is_file = is_memory(folder);
    constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC;
    file_ = is_file ? open(name.c_str(), kFlags, 0600) : shm_open(name.c_str(), kFlags, 0600);
    const std::size_t bytes = kRegionBytes * static_cast<std::size_t>(rank_count);
    if (file_ < 0 || ftruncate(file_, static_cast<off_t>(bytes)) != 0) {
        fail("the segment " + name + " cannot be made");
    }
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory == MAP_FAILED) fail("the segment " + name + " cannot be mapped");
    base_ = static_cast<char*>(memory);
    if (is_crowded_) take_a_core(rank);
    auto* arrived = at<std::atomic<int>>(0, 0);
    if (arrived->fetch_add(1) + 1 == rank_count) {  // nobody else needs the name any more
        is_file ? unlink(name.c_str()) : shm_unlink(name.c_str());
    }
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
