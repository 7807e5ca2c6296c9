// Goal: 64 ranks of one host, each a process, make a communicator and have their first all-reduce
// and first all-to-all behind them in less than two seconds on two cores.
// Method: the best of three tries, since the machine may be busy with something else.
// Covers: comm/initialise.cc

#include <algorithm>

#include "instrumented.h"
#include "stages.h"

namespace xccl::test {
namespace {

constexpr int kRanks = 64;
constexpr long kPromisedMs = 2000L * kSlowness;
constexpr int kTries = 3;

xcclResult_t first_calls(int, xcclComm_t comm) {
    float sum = 1;
    xcclResult_t result = xcclAllReduce(&sum, &sum, 1, xcclFloat32, xcclSum, comm, nullptr);
    if (result != xcclSuccess) return result;
    std::vector<int> in(kRanks, 7), out(kRanks);
    result = xcclAlltoAll(in.data(), out.data(), 1, xcclInt32, comm, nullptr);
    const bool right = sum == kRanks && out == in;
    return result != xcclSuccess || right ? result : xcclInternalError;
}

// From the first process's start to the end of the last.
long start_once() {
    const auto begin = std::chrono::steady_clock::now();
    Play play(Stage::kProcesses, kRanks, first_calls);
    for (const Verdict& verdict : play.verdicts(std::chrono::seconds(60)))
        EXPECT_EQ(verdict.result, xcclSuccess) << verdict.text;
    const auto taken = std::chrono::steady_clock::now() - begin;
    return std::chrono::duration_cast<std::chrono::milliseconds>(taken).count();
}

TEST(Crowd, SixtyFourRanksStartInTwoSeconds) {
    long best = start_once();
    for (int more = 1; more < kTries && best >= kPromisedMs && !HasFailure(); ++more)
        best = std::min(best, start_once());
    RecordProperty("milliseconds", static_cast<int>(best));
    std::printf("64 ranks: %ld ms\n", best);
    EXPECT_LT(best, kPromisedMs);
}

}  // namespace
}  // namespace xccl::test
