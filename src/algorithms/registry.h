// The registry: every algorithm by name, with what the planner must know before it asks for one.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "algorithms/shape.h"
#include "base/status.h"
#include "schedule/compile.h"
#include "schedule/schedule.h"

namespace xccl {

// How one rank's steps become another's: what verify_symmetric() relies on (and checks).
enum class Symmetry : std::uint8_t {
    kNone,
    kRotation,  // ranks and, if there is more than one, chunks are shifted by the same distance
};

// At which shapes the combining expression is the canonical tree over global ranks, so that
// reproducible mode may use the algorithm.
enum class Canonical : std::uint8_t {
    kNever,  // or only by chance
    kAlways,
    kPowersOfTwo,     // of the rank count
    kDoesNotCombine,  // nothing is combined, so nothing can differ
};

struct Algorithm {
    const char* name;  // of the generator, its file and its row in the documentation
    Schedule (*generate)(const Shape&);
    Contract contract;
    Symmetry symmetry;
    Canonical canonical;
    // Which shapes it can do; null: every shape.
    bool (*supports)(const Shape&);
};

std::span<const Algorithm> all_algorithms();
const Algorithm* find_algorithm(std::string_view name);  // null: no such

inline bool supports(const Algorithm& algorithm, const Shape& shape) {
    return algorithm.supports == nullptr || algorithm.supports(shape);
}
inline bool is_canonical(const Algorithm& algorithm, int rank_count) {
    const bool power = (rank_count & (rank_count - 1)) == 0;
    return algorithm.canonical == Canonical::kAlways ||
           algorithm.canonical == Canonical::kDoesNotCombine ||
           (algorithm.canonical == Canonical::kPowersOfTwo && power);
}

}  // namespace xccl
