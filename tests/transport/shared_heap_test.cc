// Goal: memory of the heap is zeroed, apart, found again and given back; a peer reads what is in it
// and nothing else, and takes no other file for it.
// Method: heaps of this test's own, read in this process and in a forked one.
// Covers: transport/peer_heap.cc
#include "transport/shared_heap.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <set>
#include <vector>

#include "transport/peer_heap.h"

namespace xccl {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMiB = 1 << 20;

std::byte* allocated(SharedHeap& heap, std::size_t bytes) {
    const auto memory = heap.allocate(bytes);
    EXPECT_TRUE(memory.ok()) << memory.status().text();
    return memory.ok() ? static_cast<std::byte*>(*memory) : nullptr;
}

bool is_zero(const std::byte* memory, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
        if (memory[i] != std::byte{0}) return false;
    }
    return true;
}

TEST(SharedHeap, GivesZerosApartFromEachOther) {
    SharedHeap heap;
    std::set<std::uint64_t> offsets;
    std::vector<std::byte*> all;
    for (const std::size_t bytes : {std::size_t{1}, kPage, kPage + 1, 3 * kMiB, std::size_t{100}}) {
        std::byte* const memory = allocated(heap, bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % kPage, 0u);
        EXPECT_TRUE(is_zero(memory, bytes));
        std::memset(memory, 0x5a, bytes);
        const auto offset = heap.offset_of(memory, bytes);
        ASSERT_TRUE(offset.has_value());
        EXPECT_TRUE(offsets.insert(*offset).second);
        all.push_back(memory);
    }
    for (std::byte* memory : all) EXPECT_EQ(memory[0], std::byte{0x5a});
    for (std::byte* memory : all) EXPECT_TRUE(heap.free(memory).ok());
}

TEST(SharedHeap, GivesFreedRangesAgainAsZeros) {
    SharedHeap heap;
    std::uint64_t end = 0;
    for (int turn = 0; turn < 50; ++turn) {
        std::byte* const a = allocated(heap, 5 * kMiB);
        std::byte* const b = allocated(heap, kPage);
        std::byte* const c = allocated(heap, 9 * kMiB);
        EXPECT_TRUE(is_zero(a, 5 * kMiB) && is_zero(b, kPage) && is_zero(c, 9 * kMiB));
        std::memset(a, 1, 5 * kMiB);
        std::memset(c, 2, 9 * kMiB);
        end = std::max(end, *heap.offset_of(c, 1));
        EXPECT_TRUE(heap.free(turn % 2 == 0 ? a : c).ok());
        EXPECT_TRUE(heap.free(b).ok());
        EXPECT_TRUE(heap.free(turn % 2 == 0 ? c : a).ok());
    }
    EXPECT_LT(end, 64 * kMiB);  // holes side by side become one
}

TEST(SharedHeap, KnowsWhatLiesInIt) {
    SharedHeap heap;
    std::byte* const memory = allocated(heap, 2 * kPage);
    const std::uint64_t start = heap.offset_of(memory, 2 * kPage).value();
    EXPECT_EQ(heap.offset_of(memory + 100, 10), start + 100);
    EXPECT_FALSE(heap.offset_of(memory + 1, 2 * kPage).has_value());
    EXPECT_FALSE(heap.offset_of(memory - 1, 1).has_value());
    const int local = 0;
    EXPECT_FALSE(heap.offset_of(&local, sizeof local).has_value());
    const std::uint64_t generation = heap.generation();
    EXPECT_TRUE(heap.free(memory).ok());
    EXPECT_NE(heap.generation(), generation);
    EXPECT_FALSE(heap.offset_of(memory, 1).has_value());
}

TEST(SharedHeap, RefusesWhatItDidNotGive) {
    SharedHeap heap;
    int local = 0;
    EXPECT_EQ(heap.free(&local).code(), xcclInvalidArgument);
    std::byte* const memory = allocated(heap, 10);
    EXPECT_TRUE(heap.free(memory).ok());
    EXPECT_EQ(heap.free(memory).code(), xcclInvalidArgument);
    EXPECT_EQ(heap.allocate(SIZE_MAX / 2).status().code(), xcclInvalidArgument);
    EXPECT_EQ(heap.allocate(SIZE_MAX / 8).status().code(), xcclSystemError);
}

// In a child, so that nothing else of this test is under the limit.
TEST(SharedHeap, GivesOrdinaryMemoryWhereFilesMayNotGrow) {
    const pid_t child = fork();
    if (child == 0) {
        const rlimit limit{4096, 4096};
        setrlimit(RLIMIT_FSIZE, &limit);
        SharedHeap heap;
        const auto memory = heap.allocate(kMiB);
        const bool good = memory.ok() && is_zero(static_cast<std::byte*>(*memory), kMiB) &&
                          !heap.offset_of(*memory, 1).has_value() && heap.free(*memory).ok();
        _exit(good ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// A child of fork() shares the pages, and must not give them to others.
TEST(SharedHeap, IsTheParentsAfterFork) {
    SharedHeap heap;
    std::byte* const memory = allocated(heap, kPage);
    memory[0] = std::byte{7};
    const pid_t child = fork();
    if (child == 0) {
        const auto own = heap.allocate(kPage);
        const bool good = own.ok() && !heap.offset_of(*own, 1).has_value() &&
                          !heap.offset_of(memory, 1).has_value() && heap.free(memory).ok();
        _exit(good ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_EQ(memory[0], std::byte{7});
    EXPECT_TRUE(heap.free(memory).ok());
}

// The words that two ranks share, and one end.
struct HeapPair {
    HeapAddress address{};
    HeapAddress unused{};
    std::atomic<HeapAnswer> answer{HeapAnswer::kNone};
    std::atomic<HeapAnswer> other_answer{HeapAnswer::kNone};
    PeerHeap peer{
        {.theirs = &address, .mine = &unused, .from_me = &answer, .to_me = &other_answer}};
};

TEST(PeerHeap, ReadsWhatThePeerWritesAlsoAfterTheHeapHasGrown) {
    SharedHeap heap;
    HeapPair pair;
    std::byte* const small = allocated(heap, kPage);
    heap.sign(&pair.address);
    pair.peer.answer();
    ASSERT_EQ(pair.answer.load(), HeapAnswer::kReadable);
    std::memset(small, 3, kPage);
    const std::byte* seen = pair.peer.at(*heap.offset_of(small, kPage), kPage);
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(std::memcmp(seen, small, kPage), 0);

    std::byte* const large = allocated(heap, 200 * kMiB);
    large[200 * kMiB - 1] = std::byte{9};
    seen = pair.peer.at(*heap.offset_of(large, 200 * kMiB), 200 * kMiB);
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(seen[200 * kMiB - 1], std::byte{9});
    EXPECT_EQ(pair.peer.at(std::uint64_t{1} << 50, 1), nullptr);
    EXPECT_EQ(pair.peer.at(UINT64_MAX, UINT64_MAX), nullptr);
}

TEST(PeerHeap, TakesNoOtherFileForTheHeap) {
    SharedHeap heap;
    allocated(heap, kPage);
    HeapPair unsigned_pair;
    unsigned_pair.peer.answer();
    EXPECT_EQ(unsigned_pair.answer.load(), HeapAnswer::kUnreadable);

    HeapPair wrong_token;
    heap.sign(&wrong_token.address);
    wrong_token.address.token.fetch_xor(1);
    wrong_token.peer.answer();
    EXPECT_EQ(wrong_token.answer.load(), HeapAnswer::kUnreadable);

    for (const int descriptor : {0, 1, 2, 99999}) {
        HeapPair wrong_file;
        heap.sign(&wrong_file.address);
        wrong_file.address.descriptor.store(descriptor);
        wrong_file.peer.answer();
        EXPECT_EQ(wrong_file.answer.load(), HeapAnswer::kUnreadable);
        EXPECT_EQ(wrong_file.peer.at(0, 1), nullptr);
    }
}

TEST(PeerHeap, AnswersOnce) {
    SharedHeap heap;
    HeapPair pair;
    pair.peer.answer();  // there is no heap yet
    allocated(heap, kPage);
    heap.sign(&pair.address);
    pair.peer.answer();
    EXPECT_EQ(pair.answer.load(), HeapAnswer::kUnreadable);
}

TEST(PeerHeap, WritesWhereThePeerLetsIt) {
    SharedHeap heap;
    HeapAddress address{}, unused{};
    std::atomic<HeapAnswer> answer{HeapAnswer::kNone}, other{HeapAnswer::kNone};
    LandingGate theirs{}, mine{};
    PeerHeap peer({.theirs = &address,
                   .mine = &unused,
                   .from_me = &answer,
                   .to_me = &other,
                   .their_gate = &theirs,
                   .my_gate = &mine});
    std::byte* const memory = allocated(heap, kPage);
    const std::uint64_t place = *heap.offset_of(memory, kPage);
    EXPECT_EQ(peer.landing(place, kPage), nullptr) << "it is not open yet";
    heap.sign(&address);
    peer.answer();
    ASSERT_EQ(answer.load(), HeapAnswer::kWritable);
    std::byte* const landing = peer.landing(place, kPage);
    ASSERT_NE(landing, nullptr);
    EXPECT_EQ(mine.writing.load() % 2, 1u);
    std::memset(landing, 5, kPage);
    peer.landed();
    EXPECT_EQ(mine.writing.load() % 2, 0u);
    EXPECT_EQ(memory[kPage - 1], std::byte{5});
    EXPECT_EQ(peer.landing(std::uint64_t{1} << 50, 1), nullptr);
    peer.landed();
    theirs.withdrawn.store(1);
    EXPECT_EQ(peer.landing(place, kPage), nullptr);
    peer.landed();
    EXPECT_EQ(mine.writing.load() % 2, 0u);
}

// What is mapped stays, also when its maker has freed it or is gone.
TEST(PeerHeap, OutlivesItsPeer) {
    auto* const pair = static_cast<HeapPair*>(
        mmap(nullptr, sizeof(HeapPair), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    new (pair) HeapPair;
    int ready[2], done[2];
    ASSERT_EQ(pipe(ready) + pipe(done), 0);
    const pid_t child = fork();
    if (child == 0) {
        SharedHeap heap;
        std::byte* const memory = allocated(heap, kPage);
        std::memset(memory, 6, kPage);
        heap.sign(&pair->address);
        const std::uint64_t offset = *heap.offset_of(memory, kPage);
        char byte = 0;
        if (write(ready[1], &offset, sizeof offset) < 0 || read(done[0], &byte, 1) < 0) _exit(1);
        _exit(0);
    }
    std::uint64_t offset = 0;
    ASSERT_EQ(read(ready[0], &offset, sizeof offset), static_cast<ssize_t>(sizeof offset));
    pair->peer.answer();
    ASSERT_EQ(pair->answer.load(), HeapAnswer::kReadable);
    ASSERT_EQ(write(done[1], "x", 1), 1);
    int status = 0;
    waitpid(child, &status, 0);
    const std::byte* const seen = pair->peer.at(offset, kPage);
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(seen[kPage - 1], std::byte{6});
    pair->~HeapPair();
    munmap(pair, sizeof(HeapPair));
    for (const int descriptor : {ready[0], ready[1], done[0], done[1]}) close(descriptor);
}

}  // namespace
}  // namespace xccl
