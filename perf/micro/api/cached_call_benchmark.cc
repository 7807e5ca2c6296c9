// Question: what does one 8-byte xcclAllReduce cost through the public API, beyond waiting for the
// other rank?
//
// Method: two ranks, as threads on two cores. Rank 1 calls and waits; rank 0 lets so much time pass
// that rank 1's message is surely there, and then times its own call by the cycle counter: checks,
// plan lookup, engine, mailbox, recorder, mismatch detection, abort and thread safety are all on.
// The call is the same every time, so its plan is cached, as it is in a loop of any program. An
// empty timing is subtracted. Prints one JSON line with the median and other percentiles.
#include <pthread.h>
#include <sched.h>
#include <x86intrin.h>

#include <algorithm>
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

std::uint64_t now() {
    unsigned processor;
    return __rdtscp(&processor);
}

double cycles_per_ns() {
    const auto time = std::chrono::steady_clock::now();
    const std::uint64_t cycles = now();
    while (std::chrono::steady_clock::now() - time < std::chrono::milliseconds(50)) {
    }
    const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - time;
    return static_cast<double>(now() - cycles) / passed.count();
}

std::vector<std::uint64_t> time_calls(xcclComm_t comm) {
    std::vector<std::uint64_t> cycles;
    for (int call = 0; call < kWarmUp + kCalls; ++call) {
        const std::uint64_t start = now() + kHeadStartCycles;
        while (now() < start) _mm_pause();
        const std::uint64_t before = now();
        reduce(comm);
        const std::uint64_t after = now();
        if (call >= kWarmUp) cycles.push_back(after - before);
    }
    std::sort(cycles.begin(), cycles.end());
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

}  // namespace

int main() {
    xcclComm_t comms[2];
    check(xcclCommInitAll(comms, 2, nullptr));
    std::thread other([&] {
        pin_to(1);
        for (int call = 0; call < kWarmUp + kCalls; ++call) reduce(comms[1]);
    });
    pin_to(0);
    const std::vector<std::uint64_t> cycles = time_calls(comms[0]);
    other.join();
    const std::uint64_t empty = cost_of_timing();
    const double scale = cycles_per_ns();
    const auto ns = [&](double quantile) {
        const auto index = static_cast<std::size_t>(quantile * static_cast<double>(kCalls - 1));
        return static_cast<double>(cycles[index] - std::min(cycles[index], empty)) / scale;
    };
    std::printf("{\"what\":\"cached 8-byte xcclAllReduce, beyond waiting\",\"calls\":%d,"
                "\"p10_ns\":%.0f,\"median_ns\":%.0f,\"p90_ns\":%.0f,\"p99_ns\":%.0f}\n",
                kCalls, ns(0.1), ns(0.5), ns(0.9), ns(0.99));
    for (xcclComm_t comm : comms) check(xcclCommDestroy(comm));
    return 0;
}
