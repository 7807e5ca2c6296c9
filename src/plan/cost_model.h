// The cost model: what a program of steps would take on a topology, in microseconds, without
// running it.
//
// Each step is work on its rank: a fixed part, a part per message, and a part per byte read,
// combined and written; while the bytes of a message cross from core to core, the core does the
// rest, so that only the longer of the two counts. Each round in which a rank waits for a message
// adds that road's latency. That gives, for one tile, four straight lines over the bytes of a
// piece:
//
//     first   one tile from start to end: in each round, the dearest rank
//     own     what the dearest rank spends on a tile, waiting included
//     busy    the same without waiting; where ranks share cores, what all of them work
//     wire    what the dearest host's network needs for the tile's bytes
//
// once with mailboxes that lie in a core's cache, and once with such as never do. How much of the
// mailboxes in use finds room there lies between: algorithms that talk to everybody, and several
// tiles under way, use more of them.
//
// Tiles follow each other like work on an assembly line. k copies of the lanes let a rank work on
// another tile while one waits, so
//
//     time = first + max((tiles / k - 1) own, (tiles - 1) busy, (tiles - 1) wire)
//
// Only +, -, *, / and comparisons of doubles are used, and never fused, so every machine computes
// the same value and all ranks choose alike.
//
// Cost: one walk over the steps of the sampled ranks per shape, then a few operations per size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/tile_shape.h"
#include "schedule/steps.h"
#include "topology/topology.h"

namespace xccl {

// A road between two ranks.
struct RoadCosts {
    double latency_us;            // from published to seen
    double message_us;            // work per message, at either end
    double us_per_byte;           // work per byte, at either end
    double spilled_us_per_byte;   // more of it if the mailbox is not in the core's cache
    double wire_us_per_byte;      // of a host's network: shared by all ranks of the host
    double sent_us_per_byte = 0;  // more work for who sends
};

struct HostCosts {
    double step_us;                   // work per step
    double buffer_us_per_byte;        // reading or writing a buffer
    double combine_us_per_byte;       // per source of a reduction beyond the first
    double switch_us;                 // handing a core to another rank
    double cache_bytes;               // of a core, for mailboxes
    RoadCosts flagged;                // shared memory, small slots
    RoadCosts slotted;                // shared memory, large slots
    RoadCosts tcp;                    // whatever the slots
    RoadCosts loopback;               // TCP, too, between hosts of one machine
    const char* origin = "built in";  // of these numbers, for people
};

enum class Protocol : std::uint8_t { kFlagged, kSlotted };
const char* protocol_name(Protocol protocol);

// A cost as a function of the bytes of one piece.
struct CostLine {
    double fixed_us = 0;
    double us_per_byte = 0;
    double at(double piece_bytes) const { return fixed_us + piece_bytes * us_per_byte; }
};

struct TileCosts {
    CostLine first;
    CostLine own;
    CostLine busy;
    CostLine wire;
};

struct Profile {
    int rounds = 0;
    TileCosts cached;
    TileCosts spilled;
    // What the mailboxes of one tile under way take of the cache of the core that has most of them,
    // per byte of a piece.
    double cache_per_byte = 0;
};

// Ranks whose steps stand for all: all of them up to kProfiledRanks, else `root`, its neighbours,
// both ends and others evenly between. A function of its arguments, so alike on all ranks.
constexpr int kProfiledRanks = 16;
std::vector<int> ranks_to_profile(int rank_count, int root);

// The steps of those ranks, before they are copied into lanes.
struct Program {
    std::vector<Steps> ranks;
    int round_count = 0;  // of the schedule; some may be empty on these ranks
};

// `slot_count`: of the protocol's mailboxes.
Profile profile_of(const Program& program, const Topology& topology, const HostCosts& costs,
                   Protocol protocol, std::uint32_t slot_count);

// Microseconds for an operation with `copies` tiles under way at once. `wire_bytes`: of one element
// in a message.
double predict_us(const Profile& profile, const TileShape& shape, double wire_bytes, int copies);

// What one rank sends, exactly. (v-variants: as if every block were the largest.)
struct Traffic {
    std::uint64_t sent_bytes = 0;
    std::uint64_t sent_between_hosts_bytes = 0;
};
Traffic traffic_of(const Steps& steps, const Topology& topology, const TileShape& shape,
                   std::uint64_t wire_bytes);

}  // namespace xccl
