// The verifier: runs the encoded steps of all ranks on symbols and proves that they keep their
// contract, before they ever run on bytes.
//
//     complete       every output chunk is there, made of exactly what the contract says, each
//                    rank's contribution once; an all_reduce gives all ranks the same expression
//     matched        every message is received by a step that expects this very chunk, and none is
//                    left over, so operations may follow each other over the same connections
//     no deadlock    with mailboxes of `slot_count` messages. Lanes that walk in order over bounded
//                    queues are a Kahn network: whether all finish does not depend on the order in
//                    which they are advanced, so one greedy run decides
//     no hazard      nothing undefined is read, and nothing is overwritten too early: values are
//                    computed with the real aliasing of in-place buffers and of scratch; strands,
//                    which run side by side, share no cell that one of them writes; sources and
//                    destinations of a move are equal or disjoint
//
// Messages left over by none, each operation drains its connections; so what is proved of one tile
// holds for any sequence of tiles and operations. `passes` above 1 runs that sequence all the same.
//
// Values are computed for a window of chunks at a time (value_window.h), so memory is bounded.
//
// Cost: about 50 ns per step and source. At most max_steps; see verify_symmetric.h beyond.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "schedule/expressions.h"
#include "schedule/schedule.h"
#include "schedule/steps.h"

namespace xccl {

// A fused step holds its message until each of its destinations has room, so around a ring of ranks
// that all fuse, mailboxes need two slots. All that is generated is proved with these.
constexpr std::uint32_t kLeastSlotCount = 2;

// Values over all ranks that are kept at a time: some 30 MB of expressions, which a cache holds.
constexpr std::uint64_t kWindowValues = std::uint64_t{1} << 20;

constexpr std::uint64_t kMaxVerifiedSteps = 1'000'000;  // over all ranks and passes

struct VerifyOptions {
    Contract contract = Contract::kAllReduce;
    int root = 0;
    bool in_place = false;
    // In place, of an all-reduce: messages that are copies of the input are read where it lies, and
    // steps wait before they overwrite it (overwrites.h).
    bool read_in_place = false;
    // Of an all-reduce: from the message that offers a landing (landings.h) until its answer, a
    // peer may write that chunk of the output, so nothing in it is defined.
    bool lands = false;
    std::uint32_t slot_count = kLeastSlotCount;  // of a mailbox; more never hurt
    Rounding rounding = Rounding::kNone;
    int passes = 1;
    std::uint64_t window_values = kWindowValues;
    std::uint64_t max_steps = kMaxVerifiedSteps;
};

struct Proof {
    std::uint64_t step_count = 0;
    std::uint64_t message_count = 0;
    ExpressionTable expressions;
    // Of contracts that combine: by work chunk, the expression that is delivered. Empty if there
    // was more than one window: then `expressions` are of the last.
    std::vector<ExpressionId> results;
    // Is each of them the canonical tree over global ranks? (True where nothing is combined.)
    bool canonical = true;
};

// `ranks` [rank_count] by rank. A failure names rank, lane, step and what is wrong with it.
Result<Proof> verify(std::span<const Steps> ranks, const VerifyOptions& options);

}  // namespace xccl
