// Question: what does one 8-byte xcclAllReduce cost through the public API, beyond waiting for the
// other rank?
//
// Method: two ranks, as threads on two cores. Rank 1 calls and waits; rank 0 lets so much time pass
// that rank 1's message is surely there, and then times its own call by the cycle counter: checks,
// plan lookup, engine, mailbox, recorder, mismatch detection, abort and thread safety are all on.
// The call is the same every time, so its plan is cached, as it is in a loop of any program.
//
// The call cannot be cheaper than the way of the one cache line that rank 1 wrote into rank 0's
// cache. So calls alternate with the bare form of that: rank 1 writes a flag, rank 0 lets the same
// time pass, and times one load of it. The difference of the medians is the cost beyond waiting. An
// empty timing is subtracted from both.
//
// A virtual machine's two processors may be threads of one core for a while: then a line crosses in
// a few nanoseconds, and the ranks slow each other down. So it measures in rounds, and judges by
// those in which the ranks had a core each. Prints one JSON line of the medians of each kind of
// round.
#include <pthread.h>
#include <sched.h>
#include <x86intrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "xccl.h"

namespace {

constexpr int kRounds = 200;
constexpr int kCallsPerRound = 500;
constexpr int kWarmUpRounds = 4;
constexpr std::uint64_t kHeadStartCycles = 6000;  // about 2 us
constexpr double kNearestCores = 30;  // ns: a line that crosses faster has not left its core

void check(xcclResult_t result) {
    if (result == xcclSuccess) return;
    std::fprintf(stderr, "%s\n", xcclGetLastError(nullptr));
    std::exit(1);
}

void pin_to(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

void reduce(xcclComm_t comm) {
    float values[2] = {1, 2};
    check(xcclAllReduce(values, values, 2, xcclFloat32, xcclSum, comm, nullptr));
    if (values[0] != 2 || values[1] != 4) {
        std::fprintf(stderr, "wrong sum: %g %g\n", static_cast<double>(values[0]),
                     static_cast<double>(values[1]));
        std::exit(1);
    }
}

// After all that comes before it in the program, and before all that comes after.
std::uint64_t now() {
    unsigned processor = 0;
    const std::uint64_t cycles = __rdtscp(&processor);
    _mm_lfence();
    return cycles;
}

double cycles_per_ns() {
    const auto time = std::chrono::steady_clock::now();
    const std::uint64_t cycles = now();
    while (std::chrono::steady_clock::now() - time < std::chrono::milliseconds(50)) {
    }
    const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - time;
    return static_cast<double>(now() - cycles) / passed.count();
}

struct alignas(64) Line {
    std::atomic<int> calls{0};
};

// Medians of one round.
struct Round {
    double call_cycles = 0;
    double transfer_cycles = -1;  // unknown: rank 1 was always late
};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

void let_the_other_finish() {
    const std::uint64_t end = now() + kHeadStartCycles;
    while (now() < end) _mm_pause();
}

// Rank 1: writes the line after each call, then waits in the next.
void answer(xcclComm_t comm, Line& line) {
    for (int call = 1; call <= (kWarmUpRounds + kRounds) * kCallsPerRound; ++call) {
        reduce(comm);
        line.calls.store(call, std::memory_order_release);  // pairs with the load in time_round
    }
}

// Rank 0.
Round time_round(xcclComm_t comm, const Line& line, int* call) {
    std::vector<double> calls;
    std::vector<double> transfers;
    for (int i = 0; i < kCallsPerRound; ++i) {
        ++*call;
        let_the_other_finish();
        const std::uint64_t before_call = now();
        reduce(comm);
        const std::uint64_t after_call = now();
        let_the_other_finish();
        const std::uint64_t before_load = now();
        const bool is_there = line.calls.load(std::memory_order_acquire) == *call;
        const std::uint64_t after_load = now();
        calls.push_back(static_cast<double>(after_call - before_call));
        // Where the line had not been written yet, nothing was transferred.
        if (is_there) transfers.push_back(static_cast<double>(after_load - before_load));
    }
    return {median(calls), transfers.empty() ? -1 : median(transfers)};
}

double cost_of_timing() {
    std::vector<double> empty;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t before = now();
        empty.push_back(static_cast<double>(now() - before));
    }
    return median(empty);
}

void report(const char* what, const std::vector<Round>& rounds, double empty, double scale) {
    if (rounds.empty()) {
        std::printf("{\"ranks\":\"%s\",\"rounds\":0}\n", what);
        return;
    }
    std::vector<double> calls, transfers, beyond;
    for (const Round& round : rounds) {
        calls.push_back((round.call_cycles - empty) / scale);
        transfers.push_back((round.transfer_cycles - empty) / scale);
        beyond.push_back((round.call_cycles - round.transfer_cycles) / scale);
    }
    std::printf(
        "{\"ranks\":\"%s\",\"rounds\":%zu,\"call_ns\":%.0f,\"transfer_of_a_line_ns\":%.0f,"
        "\"beyond_waiting_ns\":%.0f}\n",
        what, rounds.size(), median(calls), median(transfers), median(beyond));
}

}  // namespace

int main() {
    xcclComm_t comms[2];
    Line line;
    check(xcclCommInitAll(comms, 2, nullptr));
    std::thread other([&] {
        pin_to(1);
        answer(comms[1], line);
    });
    pin_to(0);
    const double empty = cost_of_timing();
    const double scale = cycles_per_ns();
    std::vector<Round> apart, together;
    int call = 0;
    for (int i = 0; i < kWarmUpRounds; ++i) time_round(comms[0], line, &call);
    for (int i = 0; i < kRounds; ++i) {
        const Round round = time_round(comms[0], line, &call);
        if (round.transfer_cycles < 0) continue;
        const double transfer_ns = (round.transfer_cycles - empty) / scale;
        (transfer_ns < kNearestCores ? together : apart).push_back(round);
    }
    other.join();
    report("on a core each", apart, empty, scale);
    report("on one core", together, empty, scale);
    for (xcclComm_t comm : comms) check(xcclCommDestroy(comm));
    return 0;
}
