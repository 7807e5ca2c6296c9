// Landings: where the answer to a message may be put right into the output of who sent the message.
//
// In two phases a rank sends a chunk of its input to the peer that combines it, and gets that chunk
// of the result back. On one host the peer may write it into the sender's output itself, in the
// very step that combines it: the step of the sender that would have copied it finds it there.
// Each message may offer that, and each answer may take it or not (executor/references.h).
//
//     rank 0    >1:1 := input 1                       offers output 1
//     rank 1    output 1, >0:1 := input 1 + <0:1      writes the answer to rank 0's output 1
//     rank 0    output 1 := <1:1                      nothing is left to do
//
// From the message on until the answer the peer may write at any time. So nothing else may touch
// that chunk meanwhile, neither in the output nor, since the two may be one buffer, in the input;
// and nobody but that peer may have been sent it, who would perhaps read it where it lies. Hence:
//
//     the first step of the lane that uses the chunk is the one that sends it, to this peer alone,
//     the second one receives it from that peer and stores it, as the only message of the chunk
//     that the peer sends
//
// In all this a chunk of the input is the chunk of the output with that number, as in an
// all-reduce.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedule/steps.h"

namespace xccl {

struct Landing {
    std::uint32_t sent = 0;      // the step whose message makes the offer
    std::uint32_t received = 0;  // the step that receives the answer
    bool operator==(const Landing&) const = default;
};

// Of one lane, in the order of the steps that send.
std::vector<Landing> landings_of(const Lane& lane);

// Where all ranks send all their input to all others, and combine everything, all do the same. If
// each knows that it may use the buffers of all, they divide it: rank r combines share r, and puts
// it into everybody's output. What a rank has sent is released when that is done.
//
//     rank 0    >1:0 := input 0                offers output 0
//               output 0 := input 0 + <1:0     its first half, here and in output 0 of rank 1
//
// That is so of the programs of which this is true: each lane of each rank has these two steps, and
// the terms stand in the same order on all ranks. Share r is used by rank r alone, so buffers may
// be in place.
bool are_divisible(std::span<const Steps> ranks);

}  // namespace xccl
