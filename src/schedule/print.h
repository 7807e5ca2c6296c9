// The printer of the schedule language: pictures for people, of what an algorithm wrote and of what
// became of it.
//
//     a verb        send 1 -> 2 · recv 0 <- 3 · recv_reduce 0 <- 3 · copy output 1 := input 1
//                   reduce 0 := 0 + <1 + <2 + <3             (<1: the next message from rank 1)
//     a cell        3, or 3..5 for a span: work chunks; input 3, output 3, scratch 3
//     a step        >2:3, output 3 := <0:3 + input 3         (>2:3: chunk 3 as a message to rank 2)
//
// Only for people: nothing reads it back (step_bytes.h does that).
#pragma once

#include <span>
#include <string>

#include "schedule/schedule.h"
#include "schedule/steps.h"

namespace xccl {

std::string print(const Cell& cell);
std::string print(const Verb& verb);

// "all_reduce, rank 1 of 4, 4 chunks", then a line for each round that has verbs.
std::string print(const Schedule& schedule);
// The same of encoded steps: a line for each step.
std::string print(const Steps& steps);

// All ranks' parts beside each other, as a Markdown table: a row for each round, a column for each
// rank. Strands follow each other.
std::string print_table(std::span<const Schedule> ranks);

}  // namespace xccl
