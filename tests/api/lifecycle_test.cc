// The life of communicators: making them in every way, splitting, aborting, leaving, forking.
// Covers: api/comm_object.cc api/communicators.cc api/information.cc api/memory.cc api/options.cc
// Covers: comm/initialise.cc comm/local_exchange.cc comm/segment_table.cc comm/split.cc

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "world.h"

namespace {
bool in_forked_child = false;
}

// Asked by the address sanitizer when a process ends: a child of fork() cannot destroy the
// communicators that it was born with, and they would be taken for lost.
extern "C" [[gnu::visibility("default")]] int __lsan_is_turned_off() {  // NOLINT: its name
    return in_forked_child;
}

namespace xccl::test {
namespace {

using namespace std::chrono_literals;

float all_reduce_one(xcclComm_t comm, float value = 1) {
    EXPECT_OK(xcclAllReduce(&value, &value, 1, xcclFloat32, xcclSum, comm, nullptr));
    return value;
}

// Makes one communicator per thread with `make(rank)`, uses and destroys it.
void meet(int rank_count, const std::function<xcclResult_t(int, xcclComm_t*)>& make) {
    std::vector<std::thread> threads;
    for (int rank = 0; rank < rank_count; ++rank) {
        threads.emplace_back([&, rank] {
            xcclComm_t comm = nullptr;
            ASSERT_EQ(make(rank, &comm), xcclSuccess) << xcclGetLastError(nullptr);
            EXPECT_EQ(all_reduce_one(comm), rank_count);
            EXPECT_OK(xcclCommFinalize(comm));
            EXPECT_EQ(xcclBarrier(comm, nullptr), xcclInvalidUsage);
            EXPECT_OK(xcclCommDestroy(comm));
        });
    }
    for (auto& thread : threads) thread.join();
}

TEST(Lifecycle, ByUniqueId) {
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    meet(5, [&](int rank, xcclComm_t* comm) { return xcclCommInitRank(comm, 5, id, rank); });
}

TEST(Lifecycle, BySeveralRoots) {
    std::vector<xcclUniqueId> ids(3);
    for (auto& id : ids) ASSERT_OK(xcclGetUniqueId(&id));
    meet(7, [&](int rank, xcclComm_t* comm) {
        return xcclCommInitRankScalable(comm, 7, rank, 3, ids.data(), nullptr);
    });
}

struct Gatherer {
    std::barrier<>* meeting;
    std::vector<char>* table;
    int rank;
};

int gather_by_threads(void* context, const void* send, void* recv, size_t bytes) {
    auto* g = static_cast<Gatherer*>(context);
    if (g->rank == 0) g->table->assign(bytes * 4, 0);
    g->meeting->arrive_and_wait();
    std::memcpy(g->table->data() + g->rank * bytes, send, bytes);
    g->meeting->arrive_and_wait();
    std::memcpy(recv, g->table->data(), bytes * 4);
    g->meeting->arrive_and_wait();
    return 0;
}

TEST(Lifecycle, ByTheCallersAllGather) {
    std::barrier<> meeting(4);
    std::vector<char> table;
    std::vector<Gatherer> gatherers;
    for (int rank = 0; rank < 4; ++rank) gatherers.push_back({&meeting, &table, rank});
    meet(4, [&](int rank, xcclComm_t* comm) {
        return xcclCommInitRankAllGather(comm, 4, rank, gather_by_threads, &gatherers[rank],
                                         nullptr);
    });
}

TEST(Lifecycle, NonBlockingAnswersInProgress) {
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    meet(3, [&](int rank, xcclComm_t* comm) {
        std::this_thread::sleep_for(rank * 20ms);  // so that the first really has to wait
        const xcclResult_t first = xcclCommInitRankConfig(comm, 3, id, rank, &config);
        if (first != xcclInProgress) return first;
        xcclResult_t state = xcclInProgress;
        while (state == xcclInProgress) {
            const xcclResult_t asked = xcclCommGetAsyncError(*comm, &state);
            if (asked != xcclSuccess) return asked;
            std::this_thread::yield();
        }
        return state;
    });
}

TEST(Lifecycle, SplitByColorAndKey) {
    with_ranks(6, [](int rank, xcclComm_t comm) {
        xcclComm_t half = nullptr;
        const int color = rank == 5 ? XCCL_SPLIT_NOCOLOR : rank % 2;
        ASSERT_OK(xcclCommSplit(comm, color, -rank, &half, nullptr));
        if (color < 0) {
            EXPECT_EQ(half, nullptr);
        } else {
            int size = 0, place = -1;
            ASSERT_OK(xcclCommCount(half, &size));
            ASSERT_OK(xcclCommUserRank(half, &place));
            EXPECT_EQ(size, color == 0 ? 3 : 2);
            EXPECT_EQ(place, size - 1 - rank / 2) << "keys reverse the order";
            EXPECT_EQ(all_reduce_one(half, static_cast<float>(rank)),
                      color == 0 ? 0 + 2 + 4 : 1 + 3);
            ASSERT_OK(xcclCommDestroy(half));
        }
        xcclComm_t alone = nullptr;
        ASSERT_OK(xcclCommSplit(comm, rank, 0, &alone, nullptr));
        EXPECT_EQ(all_reduce_one(alone), 1);
        ASSERT_OK(xcclCommDestroy(alone));
        EXPECT_EQ(all_reduce_one(comm), 6) << "the parent is as it was";
    });
}

TEST(Lifecycle, AbortFromAnotherThreadReturns) {
    std::vector<xcclComm_t> comms(2);
    ASSERT_OK(xcclCommInitAll(comms.data(), 2, nullptr));
    std::thread waiting([&] {
        float value = 1;  // rank 1 never joins
        EXPECT_NE(xcclAllReduce(&value, &value, 1, xcclFloat32, xcclSum, comms[0], nullptr),
                  xcclSuccess);
    });
    std::this_thread::sleep_for(50ms);
    EXPECT_OK(xcclCommAbort(comms[0]));
    waiting.join();
    float value = 1;
    EXPECT_EQ(xcclAllReduce(&value, &value, 1, xcclFloat32, xcclSum, comms[1], nullptr),
              xcclRemoteError);
    EXPECT_NE(last_error().find("abort"), std::string::npos) << last_error();
    EXPECT_NE(last_error().find("rank 0"), std::string::npos) << last_error();
    EXPECT_OK(xcclCommDestroy(comms[1]));
}

TEST(Lifecycle, AbortInsideInitialisationReturns) {
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    xcclComm_t comm;
    ASSERT_EQ(xcclCommInitRankConfig(&comm, 2, id, 0, &config), xcclInProgress);
    std::this_thread::sleep_for(20ms);
    EXPECT_OK(xcclCommAbort(comm));
}

TEST(Lifecycle, DeadlineNamesWhoIsLate) {
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.timeoutMs = 200;
    std::vector<xcclComm_t> comms(2);
    ASSERT_OK(xcclGroupStart());
    for (int r = 0; r < 2; ++r) ASSERT_OK(xcclCommInitRankConfig(&comms[r], 2, id, r, &config));
    ASSERT_OK(xcclGroupEnd());
    float value = 1;
    EXPECT_EQ(xcclAllReduce(&value, &value, 1, xcclFloat32, xcclSum, comms[0], nullptr),
              xcclTimeout);
    EXPECT_NE(last_error().find("rank 1"), std::string::npos) << last_error();
    // The first failure is kept.
    EXPECT_EQ(xcclBarrier(comms[0], nullptr), xcclTimeout);
    xcclResult_t state;
    EXPECT_OK(xcclCommGetAsyncError(comms[0], &state));
    EXPECT_EQ(state, xcclTimeout);
    for (auto comm : comms) EXPECT_OK(xcclCommAbort(comm));
}

TEST(Lifecycle, SeveralThreadsUseOneCommunicator) {
    with_ranks(2, [](int, xcclComm_t comm) {
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([comm] {
                for (int i = 0; i < 200; ++i) ASSERT_EQ(all_reduce_one(comm), 2);
            });
        }
        for (auto& thread : threads) thread.join();
    });
}

TEST(Lifecycle, ManyCommunicatorsAtOnce) {
    std::vector<std::vector<xcclComm_t>> worlds(8, std::vector<xcclComm_t>(2));
    for (auto& world : worlds) ASSERT_OK(xcclCommInitAll(world.data(), 2, nullptr));
    std::vector<std::thread> threads;
    for (auto& world : worlds) {
        for (auto comm : world) {
            threads.emplace_back([comm] {
                for (int i = 0; i < 50; ++i) ASSERT_EQ(all_reduce_one(comm), 2);
            });
        }
    }
    for (auto& thread : threads) thread.join();
    for (auto& world : worlds) {
        for (auto comm : world) EXPECT_OK(xcclCommDestroy(comm));
    }
}

TEST(Lifecycle, ForkedChildGetsAnErrorAndMayExitAndExec) {
    std::vector<xcclComm_t> comms(2);
    ASSERT_OK(xcclCommInitAll(comms.data(), 2, nullptr));
    for (const bool exec : {false, true}) {
        const pid_t child = fork();
        if (child == 0) {
            in_forked_child = true;
            float value = 1;
            const bool refused = xcclAllReduce(&value, &value, 1, xcclFloat32, xcclSum, comms[0],
                                               nullptr) == xcclInvalidUsage;
            if (refused && exec) execlp("true", "true", nullptr);
            exit(refused ? 0 : 1);  // runs static destructors, which must not hang
        }
        int status = -1;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
    std::thread other([&] { EXPECT_EQ(all_reduce_one(comms[1]), 2); });
    EXPECT_EQ(all_reduce_one(comms[0]), 2) << "the parent is as it was";
    other.join();
    for (auto comm : comms) EXPECT_OK(xcclCommDestroy(comm));
}

TEST(Lifecycle, CountsAboveTwoToTheThirtyFirst) {
    constexpr std::size_t kCount = (std::size_t{1} << 31) + 5;
    void* memory[2] = {};
    for (auto& m : memory) ASSERT_OK(xcclMemAlloc(&m, kCount));
    auto* sent = static_cast<std::uint8_t*>(memory[0]);
    sent[0] = 1, sent[kCount / 2] = 2, sent[kCount - 1] = 3;
    with_ranks(2, [&](int rank, xcclComm_t comm) {
        ASSERT_OK(xcclBcast(memory[rank], kCount, xcclUint8, 0, comm, nullptr));
    });
    const auto* got = static_cast<const std::uint8_t*>(memory[1]);
    EXPECT_EQ(got[0], 1);
    EXPECT_EQ(got[kCount / 2], 2);
    EXPECT_EQ(got[kCount - 1], 3);
    EXPECT_EQ(std::memcmp(memory[0], memory[1], kCount), 0);
    for (auto& m : memory) EXPECT_OK(xcclMemFree(m));
}

TEST(Lifecycle, OneRankAloneCostsNothing) {
    const auto count = [](const char* what) {  // entries of /proc/self/<what>
        const auto list = std::filesystem::directory_iterator(std::string("/proc/self/") + what);
        return std::distance(begin(list), end(list));
    };
    xcclUniqueId garbage;
    std::memset(&garbage, 0xab, sizeof garbage);
    xcclComm_t warm;
    ASSERT_OK(xcclCommInitRank(&warm, 1, garbage, 0));
    const auto threads = count("task"), descriptors = count("fd");
    std::vector<xcclComm_t> comms(1000);
    for (auto& comm : comms) ASSERT_OK(xcclCommInitRank(&comm, 1, garbage, 0));
    EXPECT_EQ(count("task"), threads);
    EXPECT_EQ(count("fd"), descriptors);
    EXPECT_EQ(all_reduce_one(comms[7], 42), 42);
    for (auto comm : comms) ASSERT_OK(xcclCommDestroy(comm));
    ASSERT_OK(xcclCommDestroy(warm));
}

// Nobody will ever meet at its id.
TEST(Lifecycle, OneRankAloneEndsTheRendezvousOfItsId) {
    std::thread([] {}).join();  // with the first one, a sanitizer starts its own
    const auto threads = [] {
        const auto list = std::filesystem::directory_iterator("/proc/self/task");
        return std::distance(begin(list), end(list));
    };
    const auto before = threads();
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    EXPECT_EQ(threads(), before + 1);
    xcclComm_t comm;
    ASSERT_OK(xcclCommInitRank(&comm, 1, id, 0));
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (threads() > before && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(threads(), before);
    ASSERT_OK(xcclCommDestroy(comm));
}

TEST(Lifecycle, DumpAndExplainAreJson) {
    with_ranks(2, [](int, xcclComm_t comm) {
        all_reduce_one(comm);
        char small[4];
        size_t length = sizeof small;
        EXPECT_EQ(xcclCommDump(comm, small, &length), xcclInvalidArgument);
        std::string text(length + 4096, '\0');
        length = text.size();
        ASSERT_OK(xcclCommDump(comm, text.data(), &length));
        EXPECT_NE(text.find("all_reduce #1"), std::string::npos) << text;
        length = text.size();
        if (xcclExplain(comm, xcclCollAllReduce, 1 << 20, xcclFloat32, xcclSum, 0, text.data(),
                        &length) != xcclSuccess) {
            text.resize(length);
            ASSERT_OK(xcclExplain(comm, xcclCollAllReduce, 1 << 20, xcclFloat32, xcclSum, 0,
                                  text.data(), &length));
        }
        EXPECT_NE(text.find("algorithm"), std::string::npos) << text;
    });
}

}  // namespace
}  // namespace xccl::test
