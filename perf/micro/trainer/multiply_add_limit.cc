#include "perf/micro/trainer/multiply_add_limit.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace xccl::trainer {
namespace {

constexpr std::size_t kSums = 12;  // 2 multiply-adds start in a cycle, and end 4 to 5 cycles later
constexpr std::size_t kRounds = 1 << 20;

// Vectors of kLanes floats, wherever the compiler finds instructions for them.
#define XCCL_MULTIPLY_ADDS(lanes)                                                       \
    typedef float Vector __attribute__((vector_size(4 * (lanes))));                     \
    Vector sums[kSums];                                                                 \
    for (std::size_t s = 0; s < kSums; ++s) sums[s] = Vector{} + static_cast<float>(s); \
    const Vector factor = Vector{} + 0.999F;                                            \
    const Vector term = Vector{} + 0.001F;                                              \
    for (std::size_t round = 0; round < kRounds; ++round) {                             \
        for (std::size_t s = 0; s < kSums; ++s) sums[s] = sums[s] * factor + term;      \
    }                                                                                   \
    float total = 0;                                                                    \
    for (std::size_t s = 0; s < kSums; ++s) total += sums[s][0] + sums[s][(lanes)-1];   \
    return total;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float adds_of_16() {
    XCCL_MULTIPLY_ADDS(16)
}
__attribute__((target("avx2,fma"))) float adds_of_8() {
    XCCL_MULTIPLY_ADDS(8)
}
#endif
float adds_of_4() {
    XCCL_MULTIPLY_ADDS(4)
}

struct Loop {
    float (*run)();
    std::size_t lanes;
};

Loop widest() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return {adds_of_16, 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {adds_of_8, 8};
#endif
    return {adds_of_4, 4};
}

}  // namespace

float run_multiply_adds() {
    return widest().run();
}

double multiply_adds_flops() {
    return 2.0 * static_cast<double>(kSums * kRounds * widest().lanes);
}

double multiply_add_limit() {
    static const double limit = [] {
        using Clock = std::chrono::steady_clock;
        double best = 0;
        volatile float sink = run_multiply_adds();
        for (int i = 0; i < 20; ++i) {
            const auto begin = Clock::now();
            sink = run_multiply_adds();
            const std::chrono::duration<double> time = Clock::now() - begin;
            best = std::max(best, multiply_adds_flops() / time.count());
        }
        static_cast<void>(sink);
        return best;
    }();
    return limit;
}

}  // namespace xccl::trainer
