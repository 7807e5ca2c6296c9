// Proofs at run time: before steps of a new shape first run, those of all ranks are proved together
// (schedule/verify.h), in place and not. A proof belongs to the shape, not to a communicator or
// rank, so each process makes it once, and ranks that are threads of one process share it.
//
// Beyond kMaxVerifiedSteps rank 0 is proved to stand for all, where the algorithm declares that it
// may (schedule/verify_symmetric.h), and each rank checks that it is no exception. Other algorithms
// do not run at such shapes, and the planner does not consider them.
#pragma once

#include <cstdint>
#include <span>

#include "algorithms/registry.h"
#include "base/status.h"
#include "schedule/expressions.h"
#include "schedule/steps.h"

namespace xccl {

// All that steps depend on, but for the rank.
struct ProgramShape {
    const Algorithm* algorithm = nullptr;
    Shape shape;  // `rank`: who asks
    int copies = 1;
};

// One rank's steps.
Result<Steps> compile_program(const ProgramShape& program, int rank);

struct ProofGoal {
    // Where low-precision partial results are rounded: all ranks must round alike.
    Rounding rounding = Rounding::kNone;
    bool canonical = false;  // every result is the canonical tree over global ranks
};

// Whether an all-reduce still reaches its goal if peers use its buffers where they lie.
struct Sharing {
    bool read_in_place = false;  // Steps::read_in_place
    bool lands = false;          // Steps::lands
    bool divides = false;        // Steps::divides
};

// What a proof takes, judged by what a few of the ranks do.
enum class Effort : std::uint8_t {
    kQuick,   // about a second at the most
    kSlow,    // seconds
    kTooMuch  // more steps or messages than are proved at all; errs on this side, by an eighth
};
Effort effort_of(const Algorithm& algorithm, std::span<const Steps> some, const Shape& shape);

// Fails if the steps of all ranks do not reach the goal, with mailboxes of kLeastSlotCount: more
// slots let a sender go on earlier, and whether all finish does not depend on who goes first.
Status prove_program(const ProgramShape& program, const ProofGoal& goal,
                     Sharing* sharing = nullptr);

}  // namespace xccl
