// Known bugs, for the test of the tests.
//
// The simulator must catch an engine that has one of these. A build of the engine for that test
// defines XCCL_WITH_MUTANTS and picks one at run time; everywhere else mutated() is a constant and
// leaves no trace.
#pragma once

#include <cstdint>

namespace xccl {

enum class Mutant : std::uint8_t {
    kNone,
    kIgnoredCredit,  // writes the next message although the ring is full
    kEarlyReuse,     // gives a slot back before its message is read
    kLostWakeUp,     // does not tell the peer that a slot is free again
    kStaleEpoch,     // takes messages of an earlier epoch for its own
    kSkippedAbort,   // goes on after a failure
};

#ifdef XCCL_WITH_MUTANTS
inline Mutant active_mutant = Mutant::kNone;
inline bool mutated(Mutant mutant) {
    return mutant == active_mutant;
}
#else
constexpr bool mutated(Mutant) {
    return false;
}
#endif

}  // namespace xccl
