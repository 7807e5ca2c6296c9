// A simulation as plain data: which ranks, where, over what, doing what, and what goes wrong.
// A function of the seed alone.
//
// Of every 50 seeds, one has 1,024 ranks, 17 have 8 to 64, and the others 2 to 8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/network.h"
#include "simulator/operation.h"
#include "transport/link.h"

namespace xccl::simulator {

enum class FaultKind : std::uint8_t {
    kNone,
    kStall,     // a connection stands still for a while
    kPause,     // a rank does not run for a while
    kCut,       // a connection between hosts breaks
    kKill,      // a rank dies
    kAbort,     // a rank gives up
    kMismatch,  // a rank calls something else
    kHang,      // a rank never runs again, and nobody can tell; the others have a deadline
};
constexpr int kFaultKindCount = 8;
const char* fault_name(FaultKind kind);
// Must end in an error if it strikes before the end.
bool is_fatal(FaultKind kind);

struct Fault {
    FaultKind kind = FaultKind::kNone;
    Time at = 0;
    Time duration = 0;  // kStall, kPause
    int rank = 0;
    int peer = 0;          // kStall, kCut
    std::size_t call = 0;  // kMismatch: which one
    Operation instead;     // kMismatch
};

// One life of the mailboxes: a communicator from its making to its end.
struct Life {
    std::vector<Operation> operations;
    // By operation, an earlier one of the same shape, whose prepared launch serves; -1: none.
    std::vector<int> repeats;
    std::vector<Fault> faults;
};

struct Scenario {
    std::uint64_t seed = 0;
    std::vector<int> host_of;
    int cores = 64;  // of a host
    LaneGeometry geometry;
    NetworkConditions conditions;
    std::uint32_t start = 0;  // sequence numbers begin after this
    std::string algorithms;   // a user's wish
    int lanes = 0;            // another one
    int most_in_flight = 1;   // operations of a rank
    bool deadline = false;
    std::uint8_t first_epoch = 0;
    std::vector<Life> lives;

    int rank_count() const { return static_cast<int>(host_of.size()); }
    std::string text() const;
};

Scenario make_scenario(std::uint64_t seed);

}  // namespace xccl::simulator
