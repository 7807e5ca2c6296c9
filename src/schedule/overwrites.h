// Overwrites: where an all-reduce in place writes over what it has sent from its input.
//
// A message may be read in the sender's buffer, if it is a copy of a chunk of the input
// (executor/references.h). In place the output is the input, so a step that writes such a chunk
// waits until the messages that were copies of it have been read. Not every program can wait so:
// where all ranks send their input to all, and then sum all, each waits for the others. So the
// verifier proves programs with these waits (VerifyOptions::read_in_place), and the executor refers
// to an input that is the output only if that proof was found (Steps::read_in_place).
#pragma once

#include <cstdint>
#include <vector>

#include "schedule/steps.h"

namespace xccl {

struct Overwrite {
    std::uint32_t step = 0;        // that writes
    std::uint32_t message = 0;     // how many messages to that peer it waits for, in its pass
    std::uint16_t peer_index = 0;  // of Steps::peers
    bool operator==(const Overwrite&) const = default;
};

// Of one lane, in the order of its steps. Input chunk c is output chunk c.
std::vector<Overwrite> overwrites_of(const Lane& lane);

}  // namespace xccl
