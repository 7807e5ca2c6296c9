#include "algorithms/registry.h"

#include "algorithms/generators.h"

namespace xccl {
namespace {

constexpr auto kNone = Symmetry::kNone;
constexpr auto kRotation = Symmetry::kRotation;

int one(int) {
    return 1;
}
int twice_the_others(int n) {
    return 2 * (n - 1);
}
double to_all_others(int n) {
    return n - 1;
}
double twice_but_own_share(int n) {
    return 2.0 * (n - 1) / n;
}

constexpr Algorithm kAlgorithms[] = {
    {"direct_all_reduce", Contract::kAllReduce, direct_all_reduce, kNone, Canonical::kAlways,
     nullptr, one, to_all_others},
    {"ring_all_reduce", Contract::kAllReduce, ring_all_reduce, kRotation, Canonical::kNever,
     nullptr, twice_the_others, twice_but_own_share},
};

}  // namespace

std::span<const Algorithm> all_algorithms() {
    return kAlgorithms;
}

const Algorithm* find_algorithm(std::string_view name) {
    for (const Algorithm& algorithm : kAlgorithms) {
        if (name == algorithm.name) return &algorithm;
    }
    return nullptr;
}

}  // namespace xccl
