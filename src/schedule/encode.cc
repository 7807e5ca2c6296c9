#include "schedule/encode.h"

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "base/limits.h"
#include "schedule/contract.h"

namespace xccl {
namespace {

using Where = Cell::Where;

// A place in this rank's memory; kSlot stands for "not defined".
struct Place {
    Space space = Space::kSlot;
    std::uint32_t chunk = 0;
    bool defined() const { return space != Space::kSlot; }
    bool follows(const Place& before, std::uint32_t distance) const {
        return space == before.space && chunk == before.chunk + distance;
    }
};

class Encoder {
  public:
    explicit Encoder(const Schedule& schedule)
        : schedule_(schedule),
          party_{schedule.contract, schedule.rank, schedule.rank_count, schedule.root,
                 schedule.chunk_count} {}

    Result<Steps> run() {
        XCCL_TRY(check_shape());
        place_inputs();
        XCCL_TRY(count_writes());
        for (std::size_t s = 0; s < schedule_.strands.size(); ++s) {
            lane_ = &steps_.lanes[s];
            const std::vector<Round>& rounds = schedule_.strands[s].rounds;
            for (round_ = 0; round_ < rounds.size(); ++round_) {
                for (const Verb& verb : rounds[round_]) XCCL_TRY(encode_verb(verb));
            }
        }
        XCCL_TRY(deliver());
        return std::move(steps_);
    }

  private:
    Status check_shape();
    void place_inputs();
    Status count_writes();
    Status encode_verb(const Verb& verb);
    Status encode_reduce(const Verb& verb);
    Status deliver();

    Status check_cell(const Cell& cell) const;
    Result<Operand> read(const Cell& cell) const;
    Result<Operand> write(const Cell& cell);
    Result<Operand> message(const Cell& cell, int peer, bool outgoing);
    std::uint32_t carried_chunk(const Cell& cell, int peer, bool outgoing) const;
    void add_step(const std::vector<Operand>& sources, const Operand& destination,
                  std::uint32_t span);
    Place next_place(std::uint32_t work_chunk) const;

    const Schedule& schedule_;
    const Party party_;
    Steps steps_;
    Lane* lane_ = nullptr;
    std::size_t round_ = 0;
    std::uint32_t work_scratch_ = 0;          // where the resolver's own scratch begins
    std::vector<Place> place_;                // by work chunk: where its value is now
    std::vector<std::uint32_t> writes_left_;  // by work chunk
    std::map<int, std::uint16_t> peer_index_;
};

Status Encoder::check_shape() {
    const Schedule& s = schedule_;
    const bool bad = s.rank_count < 1 || s.rank_count > kMaxRanks || s.rank < 0 ||
                     s.rank >= s.rank_count || s.root < 0 || s.root >= s.rank_count ||
                     s.chunk_count < 1 || s.chunk_count > kMaxRanks || s.max_span < 1 ||
                     s.scratch_count > 4u * kMaxRanks || s.strands.empty() ||
                     s.strands.size() > static_cast<std::size_t>(kMaxLanes);
    if (bad)
        return internal_error("schedule: the shape of {} is malformed", contract_name(s.contract));
    steps_.rank = s.rank;
    steps_.rank_count = s.rank_count;
    steps_.chunk_count = s.chunk_count;
    steps_.max_span = s.max_span;
    steps_.strand_count = static_cast<std::uint32_t>(s.strands.size());
    steps_.lanes.resize(s.strands.size());
    // Scratch chunk i is as long as chunk i % chunk_count, so work chunk c must lie at such an i.
    work_scratch_ = (s.scratch_count + s.chunk_count - 1) / s.chunk_count * s.chunk_count;
    steps_.scratch_chunk_count = s.scratch_count;
    return ok_status();
}

void Encoder::place_inputs() {
    place_.resize(schedule_.chunk_count);
    writes_left_.resize(schedule_.chunk_count);
    for (std::uint32_t chunk = 0; chunk < schedule_.chunk_count; ++chunk) {
        const auto origin = input_of(party_, chunk);
        if (origin) place_[chunk] = {Space::kInput, *origin};
    }
}

Status Encoder::count_writes() {
    for (const Strand& strand : schedule_.strands) {
        for (const Round& round : strand.rounds) {
            for (const Verb& verb : round) {
                if (verb.kind == Verb::Kind::kSend || verb.cell.where != Where::kWork) continue;
                XCCL_TRY(check_cell(verb.cell));
                for (std::uint32_t i = 0; i < verb.cell.span; ++i) {
                    ++writes_left_[verb.cell.chunk + i];
                }
            }
        }
    }
    return ok_status();
}

Status Encoder::check_cell(const Cell& cell) const {
    std::uint64_t limit = schedule_.chunk_count;
    if (cell.where == Where::kInput) limit = input_chunk_count(party_);
    if (cell.where == Where::kOutput) limit = output_chunk_count(party_);
    if (cell.where == Where::kScratch) limit = schedule_.scratch_count;
    const bool no_work = cell.where == Where::kWork && schedule_.contract == Contract::kAllToAll;
    if (no_work || cell.span < 1 || cell.span > schedule_.max_span ||
        std::uint64_t{cell.chunk} + cell.span > limit) {
        return internal_error("schedule: rank {} of {}, round {}: chunks {} + {} do not exist",
                              schedule_.rank, schedule_.rank_count, round_, cell.chunk, cell.span);
    }
    return ok_status();
}

Result<Operand> Encoder::read(const Cell& cell) const {
    XCCL_TRY(check_cell(cell));
    switch (cell.where) {
        case Where::kInput:
            return Operand{Space::kInput, 0, 0, cell.chunk};
        case Where::kOutput:
            return Operand{Space::kOutput, 0, 0, cell.chunk};
        case Where::kScratch:
            return Operand{Space::kScratch, 0, 0, cell.chunk};
        case Where::kWork:
            break;
    }
    const Place& first = place_[cell.chunk];
    for (std::uint32_t i = 0; i < cell.span; ++i) {
        const Place& place = place_[cell.chunk + i];
        if (!place.defined() || !place.follows(first, i)) {
            return internal_error(
                "schedule: rank {} of {}, round {}: work chunk {} is {}", schedule_.rank,
                schedule_.rank_count, round_, cell.chunk + i,
                place.defined() ? "not beside the rest of its span" : "undefined");
        }
    }
    return Operand{first.space, 0, 0, first.chunk};
}

// Where the next write of a work chunk goes.
Place Encoder::next_place(std::uint32_t work_chunk) const {
    const auto delivered = output_of(party_, work_chunk);
    if (delivered && writes_left_[work_chunk] == 1) return {Space::kOutput, *delivered};
    return {Space::kScratch, work_scratch_ + work_chunk};
}

Result<Operand> Encoder::write(const Cell& cell) {
    XCCL_TRY(check_cell(cell));
    if (cell.where == Where::kInput) return internal_error("schedule: a verb writes to the input");
    if (cell.where == Where::kScratch) return Operand{Space::kScratch, 0, 0, cell.chunk};
    if (cell.where == Where::kOutput) {
        for (std::uint32_t i = 0; i < cell.span; ++i) {
            if (schedule_.contract == Contract::kAllToAll) continue;
            place_[work_of_output(party_, cell.chunk + i)] = {Space::kOutput, cell.chunk + i};
        }
        return Operand{Space::kOutput, 0, 0, cell.chunk};
    }
    const Place first = next_place(cell.chunk);
    for (std::uint32_t i = 0; i < cell.span; ++i) {
        const Place place = next_place(cell.chunk + i);
        if (!place.follows(first, i)) {
            return internal_error(
                "schedule: rank {} of {}, round {}: chunks {} + {} go to two places",
                schedule_.rank, schedule_.rank_count, round_, cell.chunk, cell.span);
        }
        if (place.space == Space::kScratch) {
            steps_.scratch_chunk_count = std::max(steps_.scratch_chunk_count, place.chunk + 1);
        }
        place_[cell.chunk + i] = place;
        --writes_left_[cell.chunk + i];
    }
    return Operand{first.space, 0, 0, first.chunk};
}

// Both ends must name a message alike: by the work chunk it carries, or, in an all_to_all, by the
// rank that it is for.
std::uint32_t Encoder::carried_chunk(const Cell& cell, int peer, bool outgoing) const {
    if (schedule_.contract == Contract::kAllToAll) {
        return static_cast<std::uint32_t>(outgoing ? peer : schedule_.rank);
    }
    if (cell.where == Where::kInput) return work_of_input(party_, cell.chunk);
    if (cell.where == Where::kOutput) return work_of_output(party_, cell.chunk);
    return cell.chunk % schedule_.chunk_count;
}

Result<Operand> Encoder::message(const Cell& cell, int peer, bool outgoing) {
    if (peer < 0 || peer >= schedule_.rank_count || peer == schedule_.rank) {
        return internal_error("schedule: rank {} of {}, round {}: no peer {}", schedule_.rank,
                              schedule_.rank_count, round_, peer);
    }
    const auto [entry, is_new] =
        peer_index_.try_emplace(peer, static_cast<std::uint16_t>(steps_.peers.size()));
    if (is_new) steps_.peers.push_back(static_cast<std::uint16_t>(peer));
    return Operand{Space::kSlot, 0, entry->second, carried_chunk(cell, peer, outgoing)};
}

void Encoder::add_step(const std::vector<Operand>& sources, const Operand& destination,
                       std::uint32_t span) {
    Step step;
    step.first_operand = static_cast<std::uint32_t>(lane_->operands.size());
    step.source_count = static_cast<std::uint16_t>(sources.size());
    step.destination_count = 1;
    step.span = span;
    step.round = static_cast<std::uint32_t>(round_);
    lane_->steps.push_back(step);
    lane_->operands.insert(lane_->operands.end(), sources.begin(), sources.end());
    lane_->operands.push_back(destination);
}

Status Encoder::encode_verb(const Verb& verb) {
    const Cell& cell = verb.cell;
    std::vector<Operand> sources(1);
    Operand destination;
    switch (verb.kind) {
        case Verb::Kind::kSend: {
            XCCL_ASSIGN(sources[0], read(cell));
            XCCL_ASSIGN(destination, message(cell, verb.peer, true));
            break;
        }
        case Verb::Kind::kRecv: {
            XCCL_ASSIGN(sources[0], message(cell, verb.peer, false));
            XCCL_ASSIGN(destination, write(cell));
            break;
        }
        case Verb::Kind::kRecvReduce: {
            XCCL_ASSIGN(sources[0], read(cell));
            XCCL_ASSIGN(const Operand arrival, message(cell, verb.peer, false));
            sources.push_back(arrival);
            XCCL_ASSIGN(destination, write(cell));
            break;
        }
        case Verb::Kind::kCopy: {
            if (verb.source.span != cell.span)
                return internal_error("schedule: a copy's spans differ");
            XCCL_ASSIGN(sources[0], read(verb.source));
            XCCL_ASSIGN(destination, write(cell));
            break;
        }
        case Verb::Kind::kReduce:
            return encode_reduce(verb);
    }
    add_step(sources, destination, cell.span);
    return ok_status();
}

Status Encoder::encode_reduce(const Verb& verb) {
    if (verb.terms.empty() || verb.terms.size() > kMaxReduceSources) {
        return internal_error("schedule: a reduction of {} terms", verb.terms.size());
    }
    std::vector<Operand> sources;
    for (const Verb::Term& term : verb.terms) {
        if (term.peer < 0 && term.cell.span != verb.cell.span) {
            return internal_error("schedule: a reduction's spans differ");
        }
        XCCL_ASSIGN(const Operand source,
                    term.peer < 0 ? read(term.cell) : message(verb.cell, term.peer, false));
        sources.push_back(source);
    }
    XCCL_ASSIGN(const Operand destination, write(verb.cell));
    add_step(sources, destination, verb.cell.span);
    return ok_status();
}

// Each strand's own copies would do as well: what is still to be delivered was written by none.
Status Encoder::deliver() {
    lane_ = &steps_.lanes.front();
    round_ = std::max<std::size_t>(schedule_.strands.front().rounds.size(), 1) - 1;
    for (std::uint32_t chunk = 0; chunk < schedule_.chunk_count; ++chunk) {
        const auto delivered = output_of(party_, chunk);
        if (!delivered || place_[chunk].space == Space::kOutput) continue;
        if (!place_[chunk].defined()) {
            return internal_error("schedule: rank {} of {} never receives chunk {}", schedule_.rank,
                                  schedule_.rank_count, chunk);
        }
        add_step({Operand{place_[chunk].space, 0, 0, place_[chunk].chunk}},
                 Operand{Space::kOutput, 0, 0, *delivered}, 1);
    }
    return ok_status();
}

}  // namespace

Result<Steps> encode(const Schedule& schedule) {
    return Encoder(schedule).run();
}

}  // namespace xccl
