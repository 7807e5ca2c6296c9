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
// empty timing is subtracted from both. Prints one JSON line for each and one for the difference.
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
#include <vector>

#include "xccl.h"

namespace {

constexpr int kCalls = 20000;
constexpr int kWarmUp = 2000;
constexpr std::uint64_t kHeadStartCycles = 6000;  // about 2 us

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
    unsigned processor;
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

struct Cycles {
    std::vector<std::uint64_t> calls;
    std::vector<std::uint64_t> transfers;
};

void let_the_other_finish() {
    const std::uint64_t end = now() + kHeadStartCycles;
    while (now() < end) _mm_pause();
}

// Rank 1: writes the line after each call, then waits in the next.
void answer(xcclComm_t comm, Line& line) {
    for (int call = 1; call <= kWarmUp + kCalls; ++call) {
        reduce(comm);
        line.calls.store(call, std::memory_order_release);  // pairs with the load in time_both
    }
}

// Rank 0.
Cycles time_both(xcclComm_t comm, const Line& line) {
    Cycles cycles;
    for (int call = 1; call <= kWarmUp + kCalls; ++call) {
        let_the_other_finish();
        const std::uint64_t before_call = now();
        reduce(comm);
        const std::uint64_t after_call = now();
        let_the_other_finish();
        const std::uint64_t before_load = now();
        const bool is_there = line.calls.load(std::memory_order_acquire) == call;
        const std::uint64_t after_load = now();
        if (call <= kWarmUp) continue;
        cycles.calls.push_back(after_call - before_call);
        // Where the line had not been written yet, nothing was transferred.
        if (is_there) cycles.transfers.push_back(after_load - before_load);
    }
    std::sort(cycles.calls.begin(), cycles.calls.end());
    std::sort(cycles.transfers.begin(), cycles.transfers.end());
    return cycles;
}

std::uint64_t cost_of_timing() {
    std::vector<std::uint64_t> empty;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t before = now();
        empty.push_back(now() - before);
    }
    std::sort(empty.begin(), empty.end());
    return empty[empty.size() / 2];
}

// Prints one line, and returns the median.
double report(const char* what, const std::vector<std::uint64_t>& cycles, std::uint64_t empty,
              double scale) {
    const auto ns = [&](double quantile) {
        const auto index =
            static_cast<std::size_t>(quantile * static_cast<double>(cycles.size() - 1));
        return static_cast<double>(cycles[index] - std::min(cycles[index], empty)) / scale;
    };
    std::printf(
        "{\"what\":\"%s\",\"samples\":%zu,\"p10_ns\":%.0f,\"median_ns\":%.0f,"
        "\"p90_ns\":%.0f,\"p99_ns\":%.0f}\n",
        what, cycles.size(), ns(0.1), ns(0.5), ns(0.9), ns(0.99));
    return ns(0.5);
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
    const Cycles cycles = time_both(comms[0], line);
    other.join();
    if (cycles.transfers.empty()) {
        std::fprintf(stderr, "the other rank was always late: it needs a core of its own\n");
        return 1;
    }
    const std::uint64_t empty = cost_of_timing();
    const double scale = cycles_per_ns();
    const double call = report("cached 8-byte xcclAllReduce", cycles.calls, empty, scale);
    const double transfer =
        report("transfer of one line that the other core wrote", cycles.transfers, empty, scale);
    std::printf("{\"what\":\"beyond waiting\",\"median_ns\":%.0f}\n", call - transfer);
    for (xcclComm_t comm : comms) check(xcclCommDestroy(comm));
    return 0;
}
