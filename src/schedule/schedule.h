// The schedule language: an algorithm is data.
//
// A schedule is one rank's part of an algorithm: rounds of verbs over chunks, with no buffer, byte,
// type or transport. The chunks of a tile are numbered; a *work chunk* is "the current value of
// chunk c on this rank", and the resolver (encode) knows where that lives:
//
//     before this rank first writes it   where the collective's contract puts the input
//     after its last write               in the output, if this rank must deliver it
//     in between                         in scratch, so that a partial result is never rounded to
//                                        the output's type
//
// so `send(c, next)` and `recv_reduce(c, prev)` say all there is to say. Algorithms that move data
// between two different numberings (all-to-all, gather, scatter) name input(c), output(c) and
// scratch(c) themselves.
//
// Within a round the order of verbs is the order in which they are walked; fusing is a pass over
// the schedule (fuse.h), not a verb that algorithms use.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "schedule/steps.h"

namespace xccl {

// What the ranks hold before and must hold after: decides where work chunks live, and is what the
// verifier proves. n ranks, C chunks.
enum class Contract : std::uint8_t {
    kAllReduce,      // in: C chunks on each rank; out: all C, combined, on each
    kReduce,         // the same, out on the root only
    kBroadcast,      // in: C chunks on the root; out: C on each
    kAllGather,      // C = n: in: chunk 0 of kInput is work chunk r; out: all n on each
    kReduceScatter,  // C = n: in: n chunks; out: chunk 0 of kOutput is work chunk r, combined
    kAllToAll,       // in: n chunks; out: chunk i of kOutput is chunk r of rank i's kInput
    kGather,         // as kAllGather, out on the root only
    kScatter,        // in: n chunks on the root; out: chunk 0 of kOutput is chunk r
    kBarrier,  // in: 1 chunk on each; out: every rank has heard, directly or not, of each other
};

struct Cell {
    enum class Where : std::uint8_t { kWork, kInput, kOutput, kScratch };
    Where where = Where::kWork;
    std::uint32_t chunk = 0;
    std::uint32_t span = 1;                                                  // consecutive chunks
    Cell(int work_chunk) : chunk(static_cast<std::uint32_t>(work_chunk)) {}  // NOLINT: implicit
    Cell(Where w, std::uint32_t c, std::uint32_t s) : where(w), chunk(c), span(s) {}
    bool operator==(const Cell&) const = default;
};
inline Cell work(int chunk, int span) {
    return {Cell::Where::kWork, static_cast<std::uint32_t>(chunk),
            static_cast<std::uint32_t>(span)};
}
inline Cell input(int chunk, int span = 1) {
    return {Cell::Where::kInput, static_cast<std::uint32_t>(chunk),
            static_cast<std::uint32_t>(span)};
}
inline Cell output(int chunk, int span = 1) {
    return {Cell::Where::kOutput, static_cast<std::uint32_t>(chunk),
            static_cast<std::uint32_t>(span)};
}
inline Cell scratch(int chunk, int span = 1) {
    return {Cell::Where::kScratch, static_cast<std::uint32_t>(chunk),
            static_cast<std::uint32_t>(span)};
}

struct Verb {
    enum class Kind : std::uint8_t {
        kSend,        // cell -> peer
        kRecv,        // peer -> cell
        kRecvReduce,  // cell := cell + peer's message
        kCopy,        // cell := source
        kReduce,  // cell := combine of terms, in order: messages of peers and cells; no other verb
                  // fixes the order of an n-ary combination
    };
    struct Term {
        int peer = -1;  // >= 0: that peer's next message; else the cell
        Cell cell{0};
        bool operator==(const Term&) const = default;
    };
    Kind kind = Kind::kSend;
    Cell cell{0};
    int peer = -1;
    Cell source{0};           // kCopy
    std::vector<Term> terms;  // kReduce
    bool operator==(const Verb&) const = default;
};

Verb send(Cell cell, int peer);
Verb recv(Cell cell, int peer);
Verb recv_reduce(Cell cell, int peer);
Verb copy(Cell destination, Cell source);
Verb reduce(Cell destination, std::vector<Verb::Term> terms);

using Round = std::vector<Verb>;

// Rounds that are walked in order. Most schedules have one strand; a double tree has two, each with
// connections of its own, on disjoint chunks. All ranks have equally many, some perhaps empty.
struct Strand {
    std::vector<Round> rounds;
    void round(Round verbs) { rounds.push_back(std::move(verbs)); }
    // Adds to round `index`, so that rounds have the same number on all ranks.
    void at(int index, Verb verb);
    bool operator==(const Strand&) const = default;
};

struct Schedule {
    Contract contract = Contract::kAllReduce;
    int rank = 0;
    int rank_count = 1;
    int root = 0;  // of rooted contracts
    std::uint32_t chunk_count = 1;
    std::uint32_t scratch_count =
        0;  // scratch(c) cells that the algorithm names, besides the resolver's
    std::uint32_t max_span = 1;  // of any verb on ANY rank: a function of the shape, not the rank
    std::vector<Strand> strands = std::vector<Strand>(1);
    void round(Round verbs) { strands[0].round(std::move(verbs)); }
    void at(int index, Verb verb) { strands[0].at(index, std::move(verb)); }
    bool operator==(const Schedule&) const = default;
};

}  // namespace xccl
