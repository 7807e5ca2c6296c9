// Death: a rank is killed at a random instant; every survivor must end with one clear error that
// names it, and none may hang.
//
// Each trial forks two to five ranks that make a communicator, reduce, split, exchange in groups
// and go on until something fails. The instant is drawn from the trial's number, so that
// initialisation, splitting and groups are hit too. A trial that fails prints its number.
// Covers: comm/failure_watch.cc

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <random>

#include "world.h"

namespace xccl::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kMaxRanks = 5;
constexpr int kTrials = 200, kParts = 4;  // each part is a test of its own

struct Stage {  // shared by parent and ranks
    std::atomic<int> id_ready;
    xcclUniqueId id;
    struct {
        std::atomic<int> result;  // -1: still going
        std::atomic<int> met;     // made the communicator
        char text[512];
    } rank[kMaxRanks];
};

[[noreturn]] void finish(Stage* stage, int rank, xcclResult_t result) {
    std::snprintf(stage->rank[rank].text, sizeof stage->rank[rank].text, "%s",
                  xcclGetLastError(nullptr));
    stage->rank[rank].result.store(result);
    _exit(0);
}

#define STEP(call)                                          \
    do {                                                    \
        const xcclResult_t step = (call);                   \
        if (step != xcclSuccess) finish(stage, rank, step); \
    } while (0)

[[noreturn]] void play(Stage* stage, int rank, int rank_count) {
    if (rank == 0) {
        STEP(xcclGetUniqueId(&stage->id));
        stage->id_ready.store(1);
    }
    const auto patience = Clock::now() + 2s;
    while (!stage->id_ready.load()) {
        if (Clock::now() > patience)
            finish(stage, rank, xcclNumResults);  // rank 0 died before it made an id
        usleep(100);
    }
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.initTimeoutMs = 2000;
    xcclComm_t comm = nullptr;
    STEP(xcclCommInitRankConfig(&comm, rank_count, stage->id, rank, &config));
    stage->rank[rank].met.store(1);
    std::vector<float> small(2, 1), large(100000, 1), got(3000);
    while (true) {
        STEP(xcclAllReduce(small.data(), small.data(), small.size(), xcclFloat32, xcclMax, comm,
                           nullptr));
        STEP(xcclAllReduce(large.data(), large.data(), large.size(), xcclFloat32, xcclMax, comm,
                           nullptr));
        xcclComm_t part = nullptr;
        STEP(xcclCommSplit(comm, rank % 2, rank, &part, nullptr));
        STEP(xcclAllReduce(small.data(), small.data(), 1, xcclFloat32, xcclMax, part, nullptr));
        STEP(xcclCommDestroy(part));
        STEP(xcclGroupStart());
        STEP(xcclSend(large.data(), got.size(), xcclFloat32, (rank + 1) % rank_count, comm,
                      nullptr));
        STEP(xcclRecv(got.data(), got.size(), xcclFloat32, (rank + rank_count - 1) % rank_count,
                      comm, nullptr));
        STEP(xcclGroupEnd());
    }
}

// Waits for a child; false if it does not end in time.
bool reap(pid_t child, Clock::time_point until) {
    while (Clock::now() < until) {
        if (waitpid(child, nullptr, WNOHANG) == child) return true;
        usleep(500);
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return false;
}

void run_trial(int trial) {
    std::mt19937 random(static_cast<unsigned>(trial));
    const int rank_count = 2 + static_cast<int>(random() % (kMaxRanks - 1));
    const int victim = static_cast<int>(random() % static_cast<unsigned>(rank_count));
    const auto instant = std::chrono::microseconds(random() % 30000);
    auto* stage = static_cast<Stage*>(
        mmap(nullptr, sizeof(Stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(stage, MAP_FAILED);
    for (auto& rank : stage->rank) rank.result.store(-1);
    pid_t children[kMaxRanks];
    for (int rank = 0; rank < rank_count; ++rank) {
        children[rank] = fork();
        if (children[rank] == 0) play(stage, rank, rank_count);
    }
    std::this_thread::sleep_for(instant);
    kill(children[victim], SIGKILL);
    waitpid(children[victim], nullptr, 0);
    const std::string name = "rank " + std::to_string(victim);
    for (int rank = 0; rank < rank_count; ++rank) {
        if (rank == victim) continue;
        EXPECT_TRUE(reap(children[rank], Clock::now() + 10s))
            << "trial " << trial << ": rank " << rank << " hangs";
        const auto& said = stage->rank[rank];
        const int result = said.result.load();
        if (result == xcclNumResults) continue;  // there was nothing to join
        const bool met = said.met.load() != 0;
        EXPECT_TRUE(result == xcclRemoteError || (!met && result == xcclTimeout))
            << "trial " << trial << ", rank " << rank << " of " << rank_count << ": " << result
            << " " << said.text;
        const bool named = std::strstr(said.text, name.c_str()) ||
                           (!met && std::strstr(said.text, std::to_string(victim).c_str())) ||
                           (!met && victim == 0);
        EXPECT_TRUE(named) << "trial " << trial << ", rank " << rank << ", victim " << victim
                           << ": " << said.text;
    }
    munmap(stage, sizeof(Stage));
}

class Kill : public testing::TestWithParam<int> {};

TEST_P(Kill, SurvivorsNameTheDead) {
    constexpr int kEach = kTrials / kParts;
    for (int i = 0; i < kEach && !HasFailure(); ++i) run_trial(GetParam() * kEach + i);
}

INSTANTIATE_TEST_SUITE_P(Part, Kill, testing::Range(0, kParts));

}  // namespace
}  // namespace xccl::test
