#include "transport/shared_heap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "transport/file_size.h"
#include "trust/secret.h"

namespace xccl {
namespace {

constexpr std::size_t kSmallPage = 4096;
constexpr std::size_t kHugePage = 2u << 20;
constexpr std::uint64_t kFirstSize = 64u << 20;  // of the file, which is mostly holes; it doubles

std::size_t rounded(std::size_t size, std::size_t unit) {
    return (size + unit - 1) / unit * unit;
}

std::size_t page_for(std::size_t bytes) {
    return bytes >= kHugePage ? kHugePage : kSmallPage;
}

Status no_memory(std::size_t bytes, int error) {
    return system_error("{}: {} bytes are not to be had; free some memory or ask for less",
                        errno_text("mmap", error), bytes);
}

}  // namespace

SharedHeap& SharedHeap::of_this_process() {
    static auto* const heap = new SharedHeap;  // leaked: memory may be freed at exit
    return *heap;
}

// Makes the file with the sign in its first page. False if there is none to be had.
bool SharedHeap::open() {
    if (file_) return owner_ == getpid();
    if (unavailable_) return false;
    unavailable_ = true;
    OwnedDescriptor file(memfd_create(kHeapName, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file || set_file_size({}, file.get(), kFirstSize) != 0) return false;
    HeapSign sign{HeapSign::kMagic, 0};
    while (sign.token == 0) random_bytes(&sign.token, sizeof sign.token);
    if (pwrite(file.get(), &sign, sizeof sign, 0) != sizeof sign) return false;
    if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) != 0) return false;
    file_ = std::move(file);
    owner_ = getpid();
    size_ = kFirstSize;
    token_ = sign.token;
    holes_[kHugePage] = kFirstSize - kHugePage;
    unavailable_ = false;
    return true;
}

// A range of the file: the first hole that it fits into, else behind the end.
Result<std::uint64_t> SharedHeap::take(std::size_t bytes) {
    const std::size_t unit = page_for(bytes);
    for (int turn = 0; turn < 2; ++turn) {
        for (const auto& [begin, length] : holes_) {
            const std::uint64_t offset = rounded(begin, unit);
            if (offset + bytes > begin + length) continue;
            const std::uint64_t hole = begin, end = begin + length;
            holes_.erase(hole);
            if (offset > hole) holes_[hole] = offset - hole;
            if (offset + bytes < end) holes_[offset + bytes] = end - offset - bytes;
            return offset;
        }
        const std::uint64_t larger = std::max(2 * size_, rounded(size_ + bytes, kHugePage));
        if (const int error = set_file_size({}, file_.get(), larger)) {
            return system_error("{}", errno_text("ftruncate", error));
        }
        give_back(size_, larger - size_);
        size_ = larger;
    }
    return internal_error("no room for {} bytes in a file of {}", bytes, size_);
}

void SharedHeap::give_back(std::uint64_t offset, std::size_t bytes) {
    auto hole = holes_.emplace(offset, bytes).first;
    const auto after = std::next(hole);
    if (after != holes_.end() && offset + bytes == after->first) {
        hole->second += after->second;
        holes_.erase(after);
    }
    if (hole == holes_.begin()) return;
    const auto before = std::prev(hole);
    if (before->first + before->second != offset) return;
    before->second += hole->second;
    holes_.erase(hole);
}

// Null if it cannot be had.
void* SharedHeap::map_shared(std::size_t bytes, std::uint64_t* offset) {
    if (!open()) return nullptr;
    const Result<std::uint64_t> place = take(bytes);
    if (!place.ok()) return nullptr;
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(),
                              static_cast<off_t>(*place));
    if (memory == MAP_FAILED) {
        give_back(*place, bytes);
        return nullptr;
    }
    *offset = *place;
    return memory;
}

Result<void*> SharedHeap::allocate(std::size_t bytes) {
    if (bytes > SIZE_MAX / 4) {
        return invalid_argument("size {} does not fit the address space", bytes);
    }
    const std::lock_guard lock(mutex_);
    Allocation allocation{rounded(bytes, page_for(bytes)), kNoOffset};
    void* memory = map_shared(allocation.bytes, &allocation.offset);
    if (memory == nullptr) {
        memory = mmap(nullptr, allocation.bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return no_memory(bytes, errno);
    }
    // A hint; plain pages do as well.
    if (bytes >= kHugePage) madvise(memory, allocation.bytes, MADV_HUGEPAGE);
    allocations_[reinterpret_cast<std::uintptr_t>(memory)] = allocation;
    generation_.fetch_add(1, std::memory_order_release);  // pairs with generation()
    return memory;
}

Status SharedHeap::free(void* memory) {
    const std::lock_guard lock(mutex_);
    const auto found = allocations_.find(reinterpret_cast<std::uintptr_t>(memory));
    if (found == allocations_.end()) {
        return invalid_argument("ptr {} is not from xcclMemAlloc, or was freed already", memory);
    }
    const Allocation allocation = found->second;
    allocations_.erase(found);
    generation_.fetch_add(1, std::memory_order_release);  // pairs with generation()
    if (munmap(memory, allocation.bytes) != 0) {
        return system_error("{}", errno_text("munmap", errno));
    }
    // The pages of a parent's allocation are the parent's.
    if (allocation.offset == kNoOffset || owner_ != getpid()) return ok_status();
    const bool punched =
        fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  static_cast<off_t>(allocation.offset), static_cast<off_t>(allocation.bytes)) == 0;
    // A range that is not known to hold zeros is not given to anybody again.
    if (punched) give_back(allocation.offset, allocation.bytes);
    return ok_status();
}

std::optional<std::uint64_t> SharedHeap::offset_of(const void* data, std::size_t bytes) const {
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    const std::lock_guard lock(mutex_);
    auto found = allocations_.upper_bound(begin);
    if (found == allocations_.begin()) return std::nullopt;
    --found;
    const Allocation& allocation = found->second;
    const std::uintptr_t skipped = begin - found->first;
    if (allocation.offset == kNoOffset || skipped > allocation.bytes ||
        bytes > allocation.bytes - skipped || owner_ != getpid()) {
        return std::nullopt;
    }
    return allocation.offset + skipped;
}

void SharedHeap::sign(HeapAddress* address) const {
    const std::lock_guard lock(mutex_);
    if (!file_) return;
    address->pid.store(owner_, std::memory_order_relaxed);
    address->descriptor.store(file_.get(), std::memory_order_relaxed);
    // Release pairs with the acquire of who looks for it: with the token goes the place.
    address->token.store(token_, std::memory_order_release);
}

}  // namespace xccl
