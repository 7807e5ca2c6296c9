// Encoded steps: what the executor walks, what the verifier proves, what goes to a device.
//
// A step is one *move*: it combines its sources (one source: a copy) and writes the result to all
// of its destinations. A source is a chunk in memory or the head message of a peer's mailbox; a
// destination is a chunk in memory or the next message to a peer. So send, recv, recv_reduce,
// forwarding, n-ary reduction and their fusions are one thing with one meaning:
//
//     wait until every source message is there and every destination slot is free,
//     combine, write, publish the messages, release the slots, go on with the next step.
//
// There is no pointer, count or datatype in here; those are bound at launch. A tile is one pass
// through all steps. A step whose chunks are empty in a tile does nothing: no message is sent, on
// either side.
//
// Lanes are walked side by side, each with connections and scratch of its own. An algorithm of S
// strands (a double tree has two) needs S lanes for a tile; with k copies of them, k tiles are
// under way at once:
//
//     lane i          copy i / S of strand i % S
//     its tiles       i / S, i / S + k, i / S + 2k, ...     with k = lanes.size() / S
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace xccl {

enum class Space : std::uint8_t {
    kInput,    // the caller's send buffer
    kOutput,   // the caller's receive buffer
    kScratch,  // library memory, one tile deep; chunk i is as long as chunk i % chunk_count
    kSlot,     // a message: from the peer as a source, to the peer as a destination
};

struct Operand {
    Space space = Space::kInput;
    std::uint8_t reserved = 0;
    std::uint16_t peer_index = 0;  // kSlot: which of Steps::peers
    std::uint32_t chunk = 0;       // the first chunk of the span (kSlot: what the message carries)
    bool operator==(const Operand&) const = default;
};
static_assert(sizeof(Operand) == 8);

struct Step {
    std::uint32_t first_operand = 0;  // in Lane::operands: sources, then destinations
    std::uint16_t source_count = 0;   // 1: copy; more: reduce as the canonical tree, in this order
    std::uint16_t destination_count = 0;
    std::uint32_t span = 1;   // consecutive chunks that every operand covers
    std::uint32_t round = 0;  // of the schedule it came from; for people
    bool operator==(const Step&) const = default;
};
static_assert(sizeof(Step) == 16);

struct Lane {
    std::vector<Step> steps;
    std::vector<Operand> operands;
    std::span<const Operand> sources(const Step& s) const {
        return {operands.data() + s.first_operand, s.source_count};
    }
    std::span<const Operand> destinations(const Step& s) const {
        return {operands.data() + s.first_operand + s.source_count, s.destination_count};
    }
    bool operator==(const Lane&) const = default;
};

// One rank's program.
struct Steps {
    int rank = 0;
    int rank_count = 1;
    std::uint32_t chunk_count = 1;          // the shares of a tile
    std::uint32_t scratch_chunk_count = 0;  // per lane
    std::uint32_t max_span = 1;             // of any step of any rank: piece * max_span fits a slot
    std::uint32_t strand_count = 1;         // lanes that work on the same tile, on other chunks
    std::vector<std::uint16_t> peers;       // ranks that kSlot operands name by index
    std::vector<Lane> lanes;                // strand_count * copies
    // Proved: in place, too, peers may read the input where it lies (overwrites.h).
    bool read_in_place = false;
    // Proved: peers may put answers right into the output, or their shares of it (landings.h).
    bool lands = false;
    bool divides = false;

    // How many tiles are under way at once, and the first one of a lane.
    std::uint32_t copy_count() const {
        return static_cast<std::uint32_t>(lanes.size()) / strand_count;
    }
    std::uint32_t copy_of(std::uint32_t lane) const { return lane / strand_count; }
    bool operator==(const Steps&) const = default;
};

}  // namespace xccl
