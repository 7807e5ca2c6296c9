// Death: a rank is killed at a random instant; every survivor must end with one clear error that
// names it, its host, and what the survivor was in; none may hang.
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
#include <regex>

#include "world.h"

namespace xccl::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kMaxRanks = 5;
constexpr int kTrials = 200, kParts = 4;  // each part is a test of its own

struct Scene {  // shared by parent and ranks
    std::atomic<int> id_ready;
    xcclUniqueId id;
    struct {
        std::atomic<int> result;   // -1: still going
        std::atomic<int> started;  // knows the id
        std::atomic<int> met;      // made the communicator
        std::atomic<int> rounds;   // how often it has done everything
        char text[512];
    } rank[kMaxRanks];
};

[[noreturn]] void finish(Scene* scene, int rank, xcclResult_t result) {
    std::snprintf(scene->rank[rank].text, sizeof scene->rank[rank].text, "%s",
                  xcclGetLastError(nullptr));
    scene->rank[rank].result.store(result);
    _exit(0);
}

#define STEP(call)                                          \
    do {                                                    \
        const xcclResult_t step = (call);                   \
        if (step != xcclSuccess) finish(scene, rank, step); \
    } while (0)

[[noreturn]] void play(Scene* scene, int rank, int rank_count) {
    if (rank == 0) {
        STEP(xcclGetUniqueId(&scene->id));
        scene->id_ready.store(1);
    }
    const auto patience = Clock::now() + 2s;
    while (!scene->id_ready.load()) {
        if (Clock::now() > patience)
            finish(scene, rank, xcclNumResults);  // rank 0 died before it made an id
        usleep(100);
    }
    scene->rank[rank].started.store(1);
    xcclConfig_t config = XCCL_CONFIG_INITIALIZER;
    config.initTimeoutMs = 2000;
    xcclComm_t comm = nullptr;
    STEP(xcclCommInitRankConfig(&comm, rank_count, scene->id, rank, &config));
    scene->rank[rank].met.store(1);
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
        scene->rank[rank].rounds.fetch_add(1);
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

struct Survivor {
    int result;
    bool met;  // had made the communicator
    int rank;
    std::string text;
};

// The dead one's rank, host and process, and what this rank was in.
bool tells_all_in_use(const Survivor& survivor, const std::string& victim,
                      const std::string& process) {
    const std::string who = "rank (" + victim + "|\\d \\(rank " + victim + " before the split\\))";
    const std::string how =
        "(, whose process serves the rendezvous,)? (died; start the job again|died or lost its "
        "connection.*)";
    const std::string where =
        "; rank \\d was (in|last in) ([a-z_]+ #\\d+.*|(send|receive) of .*|no operation yet)";
    return survivor.result == xcclRemoteError &&
           std::regex_match(survivor.text, std::regex(who + " on " + process + how + where));
}

// Host and process of a rank are known once it has come; who serves the rendezvous is known by its
// rank once it has come itself. Whoever comes after the others have gone finds nobody to ask.
bool tells_all_before(const Survivor& survivor, const std::string& victim,
                      const std::string& process) {
    const auto reads = [&](const std::string& pattern) {
        return std::regex_match(survivor.text, std::regex(pattern));
    };
    if (survivor.result == xcclTimeout)
        return reads("of \\d ranks these did not come in time: " + victim + "; see whether .*");
    const std::string server = ", whose process serves the rendezvous,";
    const std::string how = " died or lost its connection.*";
    return survivor.result == xcclRemoteError &&
           (reads("rank " + victim + " on " + process + "(" + server + ")?" + how) ||
            (victim == "0" && reads("the process that serves the rendezvous .*" + how)) ||
            reads("cannot join: nobody listens at .* the process that made the unique id has "
                  "ended.*"));
}

bool tells_all(const Survivor& survivor, int victim, pid_t pid) {
    char host[65] = {};
    gethostname(host, sizeof host - 1);
    const std::string process = std::string(host) + " \\(pid " + std::to_string(pid) + "\\)";
    return (survivor.met ? tells_all_in_use : tells_all_before)(survivor, std::to_string(victim),
                                                                process);
}

// A third of the deaths come while the communicator is being made or is new, the others when it is
// in use. Few come before the victim has: the others then wait until the deadline.
void wait_for_the_instant(const Scene& scene, int victim, int trial, std::mt19937* random) {
    const auto patience = Clock::now() + 5s;
    const auto& awaited = trial % 3 == 0 ? scene.rank[victim].started : scene.rank[victim].rounds;
    while (awaited.load() == 0 && Clock::now() < patience) usleep(100);
    std::this_thread::sleep_for(std::chrono::microseconds((*random)() % 30000));
}

void run_trial(int trial) {
    std::mt19937 random(static_cast<unsigned>(trial));
    const int rank_count = 2 + static_cast<int>(random() % (kMaxRanks - 1));
    const int victim = static_cast<int>(random() % static_cast<unsigned>(rank_count));
    auto* scene = static_cast<Scene*>(
        mmap(nullptr, sizeof(Scene), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(scene, MAP_FAILED);
    for (auto& rank : scene->rank) rank.result.store(-1);
    pid_t children[kMaxRanks];
    for (int rank = 0; rank < rank_count; ++rank) {
        children[rank] = fork();
        if (children[rank] == 0) play(scene, rank, rank_count);
    }
    wait_for_the_instant(*scene, victim, trial, &random);
    kill(children[victim], SIGKILL);
    waitpid(children[victim], nullptr, 0);
    for (int rank = 0; rank < rank_count; ++rank) {
        if (rank == victim) continue;
        EXPECT_TRUE(reap(children[rank], Clock::now() + 10s))
            << "trial " << trial << ": rank " << rank << " hangs";
        const auto& said = scene->rank[rank];
        const int result = said.result.load();
        if (result == xcclNumResults) continue;  // there was nothing to join
        const Survivor survivor{result, said.met.load() != 0, rank, said.text};
        EXPECT_TRUE(tells_all(survivor, victim, children[victim]))
            << "trial " << trial << ", rank " << rank << " of " << rank_count << ", victim "
            << victim << ": " << result << " " << said.text;
    }
    munmap(scene, sizeof(Scene));
}

class Kill : public testing::TestWithParam<int> {};

TEST_P(Kill, SurvivorsNameTheDead) {
    constexpr int kEach = kTrials / kParts;
    for (int i = 0; i < kEach && !HasFailure(); ++i) run_trial(GetParam() * kEach + i);
}

INSTANTIATE_TEST_SUITE_P(Part, Kill, testing::Range(0, kParts));

}  // namespace
}  // namespace xccl::test
