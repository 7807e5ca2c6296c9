#include "transport/segment.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "base/owned_descriptor.h"
#include "transport/file_size.h"
#include "transport/geometry.h"

namespace xccl {
namespace {

// Among many ranks the mailboxes of a pair are small and most pairs never meet: there huge pages
// would make 36 pairs of one. Measured with 64 threads after their first all-reduce, 2026-11-29:
// 242 MB instead of 35 MB.
constexpr std::size_t kLeastHugePairBytes = std::size_t{256} * 1024;

#ifndef MADV_POPULATE_WRITE  // headers before Linux 5.14
#define MADV_POPULATE_WRITE 23
#endif

// A thread that is to end is interrupted at once, or at the next tick of its processor's clock.
constexpr std::chrono::milliseconds kLastInstructions{20};

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Status too_large(std::size_t bytes, int error) {
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    if (error == EFBIG && limit.rlim_cur < bytes) {
        return system_error(
            "the shared segment needs a file of {} bytes (mostly holes), but the file size limit "
            "of this process is {}; raise it with 'ulimit -f' (RLIMIT_FSIZE)",
            bytes, limit.rlim_cur);
    }
    return system_error("cannot size the shared segment to {} bytes: {}", bytes,
                        errno_text("ftruncate", error));
}

Status no_memfd(int error) {
    if (error == EMFILE || error == ENFILE) {
        return descriptor_failure("the shared segment", error);
    }
    return system_error("cannot make the shared segment: {}", errno_text("memfd_create", error));
}

// Does the kernel give shared memory in huge pages to those who ask for it? Where it gives them to
// all or to nobody there is nothing to ask for.
bool huge_pages_by_advice() {
    std::ifstream setting("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    std::string line;
    return std::getline(setting, line) && line.find("[advise]") != std::string::npos;
}

}  // namespace

// ---- Making and mapping ---------------------------------------------------------------------

Result<std::shared_ptr<Segment>> Segment::create(const SegmentLayout& layout,
                                                 const SystemCalls& calls) {
    const int descriptor = calls.memfd_create("xccl", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return no_memfd(errno);
    std::shared_ptr<Segment> segment(new Segment(layout, calls, descriptor));
    if (const int error = set_file_size(calls, descriptor, layout.total_bytes())) {
        return too_large(layout.total_bytes(), error);
    }
    if (fcntl(descriptor, F_ADD_SEALS, kSeals) != 0) {
        return system_error("cannot seal the shared segment: {}", errno_text("fcntl", errno));
    }
    XCCL_TRY(segment->map());
    XCCL_TRY(segment->reserve(0, layout.control_bytes(), "the shared segment's control blocks"));
    layout.write_header(&segment->header());
    return segment;
}

Result<std::shared_ptr<Segment>> Segment::create_private(const SegmentLayout& layout,
                                                         const SystemCalls& calls) {
    std::shared_ptr<Segment> segment(new Segment(layout, calls, -1));
    XCCL_TRY(segment->map());
    layout.write_header(&segment->header());
    return segment;
}

Result<std::shared_ptr<Segment>> Segment::attach(int descriptor, const SegmentLayout& layout,
                                                 const SystemCalls& calls) {
    std::shared_ptr<Segment> segment(new Segment(layout, calls, descriptor));
    struct stat facts {};
    if (fstat(descriptor, &facts) != 0) {
        return system_error("cannot examine the shared segment: {}", errno_text("fstat", errno));
    }
    // Unsealed, its maker could shrink it under us; of another size, it is not ours.
    const int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0 || (seals & kSeals) != kSeals ||
        static_cast<std::size_t>(facts.st_size) != layout.total_bytes()) {
        return remote_error(
            "the shared segment that this host's first rank handed over has {} bytes and seals "
            "{:x}, expected {} and {:x}; run the same libxccl.so with the same settings on all "
            "ranks",
            facts.st_size, seals, layout.total_bytes(), kSeals);
    }
    XCCL_TRY(segment->map());
    XCCL_TRY(layout.check_header(segment->header()));
    return segment;
}

Status Segment::map() {
    const std::size_t bytes = layout_.total_bytes();
    const int flags = is_private() ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    void* const memory = calls_.mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, descriptor_, 0);
    if (memory == MAP_FAILED) {
        return system_error(
            "cannot map the {} bytes (mostly holes) of the shared segment of {} ranks: {}; raise "
            "the limit of address space (ulimit -v), or use fewer ranks per host",
            bytes, layout_.local_ranks(), errno_text("mmap", errno));
    }
    base_ = static_cast<std::byte*>(memory);
    if (layout_.pair_bytes() < kLeastHugePairBytes) return ok_status();
    const bool advised = calls_.madvise(memory, bytes, MADV_HUGEPAGE) == 0;  // else: not built in
    prefault_ = advised && !is_private() && huge_pages_by_advice();
    return ok_status();
}

Segment::~Segment() {
    if (life_index_ >= 0) LifeKeeper::of_this_process().let_go(&block(life_index_).life);
    if (base_ != nullptr) munmap(base_, layout_.total_bytes());
    if (descriptor_ >= 0) close(descriptor_);
}

// ---- Memory ---------------------------------------------------------------------------------

Status Segment::reserve(std::size_t offset, std::size_t bytes, const char* what) {
    if (is_private()) return ok_status();
    // fallocate() knows the file and not the advice on its mapping, so it would take small pages.
    // What this does not get, for whatever reason, is left to it.
    if (prefault_) (void)calls_.madvise(base_ + offset, bytes, MADV_POPULATE_WRITE);
    while (calls_.fallocate(descriptor_, 0, static_cast<off_t>(offset),
                            static_cast<off_t>(bytes)) != 0) {
        if (errno == EINTR) continue;
        return system_error(
            "no memory for {} ({} bytes): {}; free memory or raise the memory limit of the job or "
            "container, or use fewer ranks per host",
            what, bytes, errno_text("fallocate", errno));
    }
    return ok_status();
}

Status Segment::reserve_pair(int rank, int peer) {
    for (const std::size_t offset :
         {layout_.pair_offset(rank, peer), layout_.pair_offset(peer, rank)}) {
        XCCL_TRY(reserve(offset, layout_.pair_bytes(), "the mailboxes between two ranks"));
    }
    return ok_status();
}

MailboxView Segment::mailbox(int receiver, int sender, int lane) const {
    return mailbox_in(base_ + layout_.pair_offset(receiver, sender), layout_.geometry(), lane);
}

Status Segment::reserve_outbox(int rank) {
    if (layout_.outbox_bytes() == 0) return ok_status();
    return reserve(layout_.outbox_offset(rank), layout_.outbox_bytes(), "a rank's outbox");
}

OutboxView Segment::outbox(int rank) const {
    if (layout_.outbox_bytes() == 0) return {};
    return outbox_in(base_ + layout_.outbox_offset(rank), layout_.geometry());
}

PeerHeap::Places Segment::heap_places(int rank, int peer) const {
    // A rank that barriers do not reach could write after a peer has withdrawn its buffers.
    const bool may_write = everyone_enrolled();
    return {.theirs = &block(peer).heap,
            .mine = &block(rank).heap,
            .from_me = heap_answer_in(base_ + layout_.pair_offset(rank, peer)),
            .to_me = heap_answer_in(base_ + layout_.pair_offset(peer, rank)),
            .their_gate = may_write ? &block(peer).gate : nullptr,
            .my_gate = may_write ? &block(rank).gate : nullptr};
}

int Segment::withdraw_buffers(int rank, Deadline deadline) {
    block(rank).gate.withdrawn.store(1, std::memory_order_relaxed);
    barrier_everywhere(reach());  // pairs with LandingGate::begin_writing()
    for (int peer = 0; peer < layout_.local_ranks(); ++peer) {
        if (peer == rank) continue;
        const LandingGate& gate = block(peer).gate;
        const std::uint32_t seen = gate.writing.load(std::memory_order_acquire);
        while (!gate.is_past(seen)) {
            if (state_of(peer) == RankState::kDied) {
                // Its threads end one by one: the one that wrote may have some instructions left.
                std::this_thread::sleep_for(kLastInstructions);
                break;
            }
            if (deadline.passed()) return peer;
            std::this_thread::yield();
        }
    }
    return -1;
}

// ---- Coming and going -----------------------------------------------------------------------

Status Segment::enrol(int rank) {
    RankBlock& mine = block(rank);
    if (!is_private()) XCCL_TRY(hold_life(rank));
    // Before this rank can publish anything, sleepers must know whether they can reach it.
    if (!enrol_in_barrier(reach())) {
        header().ranks_without_barrier.fetch_add(1, std::memory_order_relaxed);
    }
    // Release pairs with the acquire in state_of(): the life word is held and its index is there.
    mine.presence.store(Presence::kPresent, std::memory_order_release);
    return ok_status();
}

// One word serves all ranks of this process.
Status Segment::hold_life(int rank) {
    const std::lock_guard lock(mutex_);
    if (life_index_ < 0) {
        XCCL_TRY(LifeKeeper::of_this_process().hold(&block(rank).life));
        life_index_ = rank;
    }
    block(rank).life_index.store(static_cast<std::uint32_t>(life_index_),
                                 std::memory_order_relaxed);
    return ok_status();
}

void Segment::leave(int rank) {
    block(rank).presence.store(Presence::kLeft, std::memory_order_release);  // as in enrol()
}

RankState Segment::state_of(int rank) const {
    const RankBlock& theirs = block(rank);
    if (theirs.presence.load(std::memory_order_acquire) == Presence::kPresent && !is_private()) {
        const auto index = theirs.life_index.load(std::memory_order_relaxed);
        const bool known = index < static_cast<std::uint32_t>(layout_.local_ranks());
        const bool died = known && owner_died(block(static_cast<int>(index)).life);
        // A rank that left before its process ended did so before the word was marked.
        if (died && theirs.presence.load(std::memory_order_acquire) == Presence::kPresent) {
            return RankState::kDied;
        }
    }
    switch (theirs.presence.load(std::memory_order_acquire)) {
        case Presence::kPresent:
            return RankState::kPresent;
        case Presence::kLeft:
            return RankState::kLeft;
        default:
            return RankState::kAbsent;
    }
}

void Segment::ring_all() const {
    for (int rank = 0; rank < layout_.local_ranks(); ++rank) ring_if_sleeping(doorbell(rank));
}

}  // namespace xccl
