#include "transport/peer_heap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace xccl {

PeerHeap::~PeerHeap() {
    if (mapping_ != nullptr) munmap(mapping_, mapped_bytes_);
}

bool PeerHeap::open() {
    // Acquire pairs with the release of SharedHeap::sign().
    const std::uint64_t token = places_.theirs->token.load(std::memory_order_acquire);
    if (token == 0) return false;
    const std::string path =
        fmt::format("/proc/{}/fd/{}", places_.theirs->pid.load(std::memory_order_relaxed),
                    places_.theirs->descriptor.load(std::memory_order_relaxed));
    constexpr int kFlags = O_CLOEXEC | O_NONBLOCK;
    OwnedDescriptor file(::open(path.c_str(), O_RDWR | kFlags));
    const bool writable = static_cast<bool>(file);
    if (!file) file.reset(::open(path.c_str(), O_RDONLY | kFlags));
    if (!file) return false;
    // Unsealed, its maker could shrink it under us.
    const int seals = fcntl(file.get(), F_GET_SEALS);
    HeapSign sign{};
    const bool is_meant = seals >= 0 && (seals & F_SEAL_SHRINK) != 0 &&
                          pread(file.get(), &sign, sizeof sign, 0) == sizeof sign &&
                          sign.magic == HeapSign::kMagic && sign.token == token;
    if (!is_meant) return false;
    file_ = std::move(file);
    writable_ = writable;
    return map_again(0, sizeof sign) != nullptr;
}

void PeerHeap::answer() {
    if (places_.from_me->load(std::memory_order_relaxed) != HeapAnswer::kNone) return;
    const HeapAnswer mine = !open()                                      ? HeapAnswer::kUnreadable
                            : writable_ && places_.their_gate != nullptr ? HeapAnswer::kWritable
                                                                         : HeapAnswer::kReadable;
    places_.from_me->store(mine, std::memory_order_release);  // pairs with heard()
}

// The file has grown since it was mapped, or ends before what is asked for.
std::byte* PeerHeap::map_again(std::uint64_t offset, std::size_t bytes) {
    struct stat facts {};
    if (!file_ || fstat(file_.get(), &facts) != 0) return nullptr;
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    if (offset > size || bytes > size - offset) return nullptr;
    void* const memory =
        mmap(nullptr, size, PROT_READ | (writable_ ? PROT_WRITE : 0), MAP_SHARED, file_.get(), 0);
    if (memory == MAP_FAILED) return nullptr;
    madvise(memory, size, MADV_HUGEPAGE);  // a hint
    if (mapping_ != nullptr) munmap(mapping_, mapped_bytes_);
    mapping_ = static_cast<std::byte*>(memory);
    mapped_bytes_ = size;
    return mapping_ + offset;
}

}  // namespace xccl
