// The control rows of a comparison: what a disturbed machine does to things that no library has a
// part in.
//
//   compare_control      answers each line on its input with one on its output:
//                        COPY_NANOSECONDS FLAG_NANOSECONDS
//
// The first is a copy of 4 MiB, the second one round trip of a flag between two threads (on two
// cores where there are two), each the median of some, in about 5 ms together.
#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "measure/cores.h"

namespace {

constexpr std::size_t kCopyBytes = 4 << 20;
constexpr int kCopies = 7;
constexpr int kBatches = 21;
constexpr unsigned kTripsPerBatch = 100;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double nanoseconds_since(std::chrono::steady_clock::time_point start) {
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - start;
    return passed.count();
}

double copy_nanoseconds(const std::vector<char>& from, std::vector<char>& to) {
    std::vector<double> times;
    for (int copy = 0; copy < kCopies; ++copy) {
        const auto start = std::chrono::steady_clock::now();
        std::memcpy(to.data(), from.data(), kCopyBytes);
        asm volatile("" : : "r"(to.data()) : "memory");  // the copy is wanted, though nobody reads
        times.push_back(nanoseconds_since(start));
    }
    return median(times);
}

void await(const std::atomic<unsigned>& flag, unsigned value) {
    for (unsigned spin = 1; flag.load(std::memory_order_acquire) != value; ++spin) {
        if (spin % 1024 == 0) {
            sched_yield();
        } else {
            _mm_pause();
        }
    }
}

double flag_nanoseconds() {
    alignas(64) std::atomic<unsigned> there{0};
    alignas(64) std::atomic<unsigned> back{0};
    constexpr unsigned kTrips = kBatches * kTripsPerBatch;
    std::vector<double> times;
    std::thread other([&] {
        xccl::perf::take_core(1);
        for (unsigned trip = 1; trip <= kTrips; ++trip) {
            await(there, trip);
            back.store(trip, std::memory_order_release);  // pairs with await
        }
    });
    auto start = std::chrono::steady_clock::now();
    for (unsigned trip = 1; trip <= kTrips; ++trip) {
        there.store(trip, std::memory_order_release);  // pairs with await
        await(back, trip);
        if (trip % kTripsPerBatch != 0) continue;
        times.push_back(nanoseconds_since(start) / kTripsPerBatch);
        start = std::chrono::steady_clock::now();
    }
    other.join();
    return median(times);
}

}  // namespace

int main() {
    xccl::perf::take_core(0);
    const std::vector<char> from(kCopyBytes, 1);
    std::vector<char> to(kCopyBytes, 2);
    char line[16];
    while (std::fgets(line, sizeof line, stdin) != nullptr) {
        const double copy = copy_nanoseconds(from, to);
        std::printf("%.0f %.1f\n", copy, flag_nanoseconds());
        std::fflush(stdout);
    }
    return 0;
}
