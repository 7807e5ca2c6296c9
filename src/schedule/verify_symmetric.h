// Proofs beyond kMaxVerifiedSteps, of programs in which all ranks do the same, rotated.
//
// Rotation by d takes rank r to r + d and chunk c to c + d, modulo n; there are n chunks. A program
// is symmetric if the steps of rank d are those of rank 0, rotated by d. Then rank 0 stands for
// all, and a proof takes time and memory in proportion to its steps alone. It has two halves, whose
// sum is what verify() proves of all ranks:
//
//     control   every message meets the step that expects this very chunk, and mailboxes do not
//               deadlock. All ranks are advanced in lockstep, so what rank 0 receives from rank q
//               is what it has sent to rank -q, rotated. This is one order among many, and it
//               decides: lanes over bounded queues finish in every order or in none (see verify.h),
//               a rank that takes a step never takes away what another one needs for its own, and
//               where rank 0 must wait for ever so must all.
//     values    a step moves or combines chunks of one length class only (check_steps.h sees to
//               that, and that each cell belongs to one class), so the classes are as many separate
//               computations, and by symmetry one of them is the image of each. What rank r does to
//               chunk 0 is what rank 0 does to chunk -r; so rank 0's steps, dealt out to the ranks
//               by their chunks, are the whole computation of chunk 0, which verify() proves:
//
//                   all_reduce of n chunks     one chunk: an all_reduce
//                   all_gather                 rank 0's block: a broadcast from rank 0
//                   reduce_scatter             rank 0's block: a reduce to rank 0
//                   all_to_all                 all that leaves rank 0: a scatter from rank 0
//
// Messages between two ranks that carry one class keep their order when the others are left out, so
// both halves match the same sends with the same receives. Spans above 1 are refused: rotated, they
// would wrap around.
//
// Nobody looks at all ranks: each rank checks that its own steps are the image of rank 0's, with
// is_rotation_of(), before it runs them. One that is not runs nothing.
#pragma once

#include "base/status.h"
#include "schedule/steps.h"
#include "schedule/verify.h"

namespace xccl {

// `rank_0`: its steps. Proof::results are of chunk 0; `canonical` is true only if nothing is
// combined, since the canonical tree is not symmetric. The proof's counts are over all ranks.
Result<Proof> verify_rotation(const Steps& rank_0, const VerifyOptions& options);

// What `rank` does if it does the same.
Steps rotation_of(const Steps& rank_0, int rank, Contract contract);

// Fails, naming the first difference, unless `steps` are those of rank 0, rotated, and keep
// check_steps().
Status is_rotation_of(const Steps& rank_0, const Steps& steps, const VerifyOptions& options);

}  // namespace xccl
