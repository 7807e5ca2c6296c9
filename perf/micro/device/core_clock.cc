// Question: at which clock does this core run now?
//
// Method: a chain of additions of two registers, each of which takes one cycle (additions of
// constants may take none). Prints the median of rounds of a few milliseconds, in GHz.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr int kRounds = 101;
constexpr std::int64_t kPassesPerRound = 1'000'000;
constexpr int kAdditionsPerPass = 8;

double gigahertz_of_round() {
    std::uint64_t sum = 0;
    std::uint64_t term = 3;
    asm volatile("" : "+r"(term));  // or the compiler adds a constant
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t pass = 0; pass < kPassesPerRound; ++pass) {
        for (int i = 0; i < kAdditionsPerPass; ++i) {
            sum += term;
            // Keeps the compiler from joining additions, and is no instruction.
            asm volatile("" : "+r"(sum));
        }
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(kPassesPerRound * kAdditionsPerPass) / took.count();
}

}  // namespace

int main() {
    std::vector<double> rounds;
    rounds.reserve(kRounds);
    for (int round = 0; round < kRounds; ++round) rounds.push_back(gigahertz_of_round());
    std::ranges::nth_element(rounds, rounds.begin() + kRounds / 2);
    std::printf("%.3f\n", rounds[kRounds / 2]);
    return 0;
}
