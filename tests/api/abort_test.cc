// Goal: xcclCommAbort from another thread returns whatever the communicator is in the middle of,
// whoever was inside returns too, and the other ranks are told who aborted. A wait that is merely
// long says in one line whom it waits for.
// Method: two ranks as threads; rank 1 stays away, so that rank 0 is stuck in each state in turn.
// Covers: api/communicators.cc comm/communicator.cc

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "instrumented.h"
#include "world.h"

namespace xccl::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kCount = 1000;

// A pair of communicators, of which that of rank 0 will be aborted.
class Abort : public testing::Test {
  protected:
    void SetUp() override { ASSERT_OK(xcclCommInitAll(comms, 2, nullptr)); }

    xcclResult_t all_reduce(xcclComm_t comm, xcclStream_t stream = nullptr) {
        return xcclAllReduce(in.data(), out.data(), kCount, xcclFloat32, xcclSum, comm, stream);
    }

    // Runs `stuck` on a thread, aborts rank 0's communicator under it, and looks at what both came
    // to. `inside` is set when the thread is about to be stuck.
    void abort_in(const std::function<xcclResult_t()>& stuck) {
        std::atomic<bool> inside{false};
        std::atomic<xcclResult_t> result{xcclSuccess};
        std::thread thread([&] {
            inside = true;
            result = stuck();
        });
        while (!inside) std::this_thread::yield();
        std::this_thread::sleep_for(20ms);  // most likely it is; the result is the same if not
        EXPECT_OK(xcclCommAbort(comms[0]));
        thread.join();
        EXPECT_NE(result.load(), xcclSuccess);
        expect_told();
    }

    // Rank 1 learns it, at the latest from its next call.
    void expect_told() {
        EXPECT_EQ(all_reduce(comms[1]), xcclRemoteError);
        EXPECT_NE(last_error().find("rank 0"), std::string::npos) << last_error();
        EXPECT_NE(last_error().find("abort"), std::string::npos) << last_error();
        EXPECT_OK(xcclCommDestroy(comms[1]));
    }

    xcclComm_t comms[2] = {};
    std::vector<float> in = std::vector<float>(kCount), out = std::vector<float>(kCount);
};

TEST_F(Abort, WhileABlockingCallWaits) {
    abort_in([&] { return all_reduce(comms[0]); });
}

TEST_F(Abort, WhileAReceiveWaits) {
    abort_in([&] { return xcclRecv(out.data(), kCount, xcclFloat32, 1, comms[0], nullptr); });
}

TEST_F(Abort, WhileFinalizeWaits) {
    abort_in([&] { return xcclCommFinalize(comms[0]); });
}

TEST_F(Abort, WhileAGroupWaits) {
    abort_in([&]() -> xcclResult_t {
        EXPECT_OK(xcclGroupStart());
        EXPECT_OK(xcclRecv(out.data(), kCount, xcclFloat32, 1, comms[0], nullptr));
        EXPECT_OK(all_reduce(comms[0]));
        return xcclGroupEnd();
    });
}

TEST_F(Abort, WhileAGroupIsOpen) {
    ASSERT_OK(xcclGroupStart());
    ASSERT_OK(all_reduce(comms[0]));
    std::thread([&] { EXPECT_OK(xcclCommAbort(comms[0])); }).join();
    EXPECT_EQ(xcclGroupEnd(), xcclInvalidUsage);
    EXPECT_NE(last_error().find("before xcclGroupEnd"), std::string::npos) << last_error();
    expect_told();
}

TEST_F(Abort, WhileASplitWaits) {
    xcclComm_t child = nullptr;
    abort_in([&] { return xcclCommSplit(comms[0], 0, 0, &child, nullptr); });
    EXPECT_EQ(child, nullptr);
}

// A split that does not block, seen from the parent and from the child.
TEST_F(Abort, OfTheParentWhileAChildIsBeingMade) {
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    xcclComm_t child = nullptr;
    ASSERT_EQ(xcclCommSplit(comms[0], 0, 0, &child, &config), xcclInProgress);
    EXPECT_OK(xcclCommAbort(comms[0]));
    xcclResult_t state = xcclInProgress;
    while (state == xcclInProgress) ASSERT_OK(xcclCommGetAsyncError(child, &state));
    EXPECT_NE(state, xcclSuccess);
    EXPECT_OK(xcclCommAbort(child));
    expect_told();
}

TEST_F(Abort, OfAChildThatIsBeingMade) {
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    xcclComm_t child = nullptr;
    ASSERT_EQ(xcclCommSplit(comms[0], 0, 0, &child, &config), xcclInProgress);
    std::this_thread::sleep_for(20ms);
    EXPECT_OK(xcclCommAbort(child));
    expect_told();  // it cannot go on without its parent
    EXPECT_EQ(all_reduce(comms[0]), xcclRemoteError);
    EXPECT_OK(xcclCommAbort(comms[0]));
}

TEST_F(Abort, WhileAStreamHasMuchQueued) {
    xcclStream_t stream;
    ASSERT_OK(xcclStreamCreate(&stream));
    for (int i = 0; i < 5; ++i) ASSERT_OK(all_reduce(comms[0], stream));
    abort_in([&] { return xcclStreamSynchronize(stream); });
    EXPECT_OK(xcclStreamSynchronize(stream));  // the failure was told once; nothing is left in it
    EXPECT_OK(xcclStreamDestroy(stream));
}

TEST(AbortInit, IsToldToThoseWhoHaveCome) {
    xcclUniqueId id;
    ASSERT_OK(xcclGetUniqueId(&id));
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    xcclComm_t comms[2];
    for (int rank = 0; rank < 2; ++rank) {  // of three
        ASSERT_EQ(xcclCommInitRankConfig(&comms[rank], 3, id, rank, &config), xcclInProgress);
    }
    std::this_thread::sleep_for(20ms);
    EXPECT_OK(xcclCommAbort(comms[0]));
    xcclResult_t state = xcclInProgress;
    while (state == xcclInProgress) ASSERT_OK(xcclCommGetAsyncError(comms[1], &state));
    EXPECT_EQ(state, xcclRemoteError);
    const char* const told = xcclGetLastError(comms[1]);
    const std::string text = told;
    EXPECT_NE(text.find("rank 0"), std::string::npos) << text;
    (void)last_error();
    EXPECT_EQ(told, text);  // asking for something else leaves it alone
    EXPECT_OK(xcclCommAbort(comms[1]));
}

// What one rank does first the other does last, on two communicators.
class OppositeOrder : public testing::Test {
  protected:
    void run(int timeout_ms, const std::function<void(int, xcclComm_t, xcclComm_t)>& body) {
        xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
        config.timeoutMs = timeout_ms;
        xcclUniqueId ids[2];
        for (auto& id : ids) ASSERT_OK(xcclGetUniqueId(&id));
        xcclComm_t comms[2][2] = {};
        std::vector<std::thread> threads;
        for (int rank = 0; rank < 2; ++rank) {
            threads.emplace_back([&, rank] {
                auto& mine = comms[rank];
                for (int i = 0; i < 2; ++i)
                    ASSERT_OK(xcclCommInitRankConfig(&mine[i], 2, ids[i], rank, &config));
                body(rank, mine[rank], mine[1 - rank]);
            });
        }
        for (auto& thread : threads) thread.join();
        for (auto& mine : comms) {
            for (auto comm : mine) EXPECT_OK(xcclCommAbort(comm));
        }
    }
};

TEST_F(OppositeOrder, WorksInAGroup) {
    run(0, [](int, xcclComm_t first, xcclComm_t second) {
        float x = 1, y = 1;
        ASSERT_OK(xcclGroupStart());
        ASSERT_OK(xcclAllReduce(&x, &x, 1, xcclFloat32, xcclSum, first, nullptr));
        ASSERT_OK(xcclAllReduce(&y, &y, 1, xcclFloat32, xcclSum, second, nullptr));
        ASSERT_OK(xcclGroupEnd());
        EXPECT_EQ(x + y, 4);
    });
}

TEST_F(OppositeOrder, OfBlockingCallsEndsAtTheDeadline) {
    run(200, [](int rank, xcclComm_t first, xcclComm_t) {
        float x = 1;
        EXPECT_EQ(xcclAllReduce(&x, &x, 1, xcclFloat32, xcclSum, first, nullptr), xcclTimeout);
        const std::string other = "waits for rank " + std::to_string(1 - rank);
        EXPECT_NE(last_error().find(other), std::string::npos) << last_error();
    });
}

// On one communicator the order of issue counts, whatever the streams.
TEST_F(OppositeOrder, OnTwoStreamsOfOneCommunicatorIsAMismatch) {
    run(0, [](int rank, xcclComm_t first, xcclComm_t second) {
        const xcclComm_t comm = rank == 0 ? first : second;
        xcclStream_t streams[2];
        for (auto& stream : streams) ASSERT_OK(xcclStreamCreate(&stream));
        std::vector<float> x(kCount), y(kCount);
        const auto sum = [&] {
            return xcclAllReduce(x.data(), x.data(), kCount, xcclFloat32, xcclSum, comm,
                                 streams[0]);
        };
        const auto max = [&] {
            return xcclAllReduce(y.data(), y.data(), kCount, xcclFloat32, xcclMax, comm,
                                 streams[1]);
        };
        ASSERT_OK(rank == 0 ? sum() : max());
        (void)(rank == 0 ? max() : sum());  // refused already, if it was noticed that quickly
        const xcclResult_t results[] = {xcclStreamSynchronize(streams[0]),
                                        xcclStreamSynchronize(streams[1])};
        EXPECT_TRUE(results[0] == xcclInvalidUsage || results[1] == xcclInvalidUsage);
        const std::string text = last_error(comm);
        for (const char* word : {"float32, sum", "float32, max"})
            EXPECT_NE(text.find(word), std::string::npos) << text;
        for (auto stream : streams) EXPECT_OK(xcclStreamDestroy(stream));
    });
}

// What two ranks log, in a process of its own for its settings and its standard error. `body` gets
// the rank, its communicator, and what waits until something has been logged.
template <typename Body>
std::string log_of_two_ranks(const char* stall_warn_ms, Body body) {
    const int log = memfd_create("log", 0);
    const auto logged = [log] { return lseek(log, 0, SEEK_END); };
    const auto wait_for_log = [&] {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (logged() == 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    };
    const pid_t child = fork();
    if (child == 0) {
        setenv("XCCL_STALL_WARN_MS", stall_warn_ms, 1);
        setenv("XCCL_DEBUG", "warn", 1);
        dup2(log, STDERR_FILENO);
        with_ranks(2, [&](int rank, xcclComm_t comm) { body(rank, comm, wait_for_log); });
        _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    std::string text(static_cast<std::size_t>(logged()), '\0');
    EXPECT_EQ(pread(log, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    close(log);
    return text;
}

void expect_one_line(const std::string& text, std::initializer_list<const char*> words) {
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    for (const char* word : words) EXPECT_NE(text.find(word), std::string::npos) << text;
}

TEST(Stall, LogsOneLineThatNamesWhomItWaitsFor) {
    const std::string text =
        log_of_two_ranks("50", [](int rank, xcclComm_t comm, const auto& wait_for_log) {
            if (rank == 1) {
                wait_for_log();
                std::this_thread::sleep_for(150ms);  // it must not say it again
            }
            EXPECT_OK(xcclBarrier(comm, nullptr));
        });
    expect_one_line(text, {"xccl 0/2 comm warn", "barrier #1 has waited", "for rank 1 on"});
}

// It may be right: another thread makes the call later.
TEST(Stall, ATransferAgainstACollectiveIsTold) {
    const auto start = std::chrono::steady_clock::now();
    const std::string text =
        log_of_two_ranks("0", [](int rank, xcclComm_t comm, const auto& wait_for_log) {
            int value = rank;
            std::thread other;
            if (rank == 0) {
                other = std::thread([&] {
                    wait_for_log();
                    EXPECT_OK(xcclBarrier(comm, nullptr));
                });
                EXPECT_OK(xcclRecv(&value, 1, xcclInt32, 1, comm, nullptr));
                other.join();
            } else {
                EXPECT_OK(xcclBarrier(comm, nullptr));
                EXPECT_OK(xcclSend(&value, 1, xcclInt32, 0, comm, nullptr));
            }
            EXPECT_EQ(value, 1);
        });
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s * kSlowness);
    expect_one_line(
        text, {"xccl 0/2 comm warn", "receive of 1 int32 from rank 1 waits for rank 1 on",
               "but rank 1 on", "is in barrier #1, which rank 0 on", "has not called: if no"});
}

}  // namespace
}  // namespace xccl::test
