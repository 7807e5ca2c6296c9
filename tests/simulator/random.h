// The one source of chance of a simulation: everything that happens follows from its seed.
#pragma once

#include <cstdint>

namespace xccl::simulator {

// splitmix64: https://prng.di.unimi.it/splitmix64.c (public domain algorithm, written anew).
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    // In [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    // In [low, high].
    std::uint64_t between(std::uint64_t low, std::uint64_t high) {
        return low + below(high - low + 1);
    }
    int index(int bound) { return static_cast<int>(below(static_cast<std::uint64_t>(bound))); }
    bool chance(double probability) {
        return static_cast<double>(next() >> 11) < probability * static_cast<double>(1ull << 53);
    }

  private:
    std::uint64_t state_;
};

}  // namespace xccl::simulator
