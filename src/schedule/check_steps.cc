#include "schedule/check_steps.h"

#include <algorithm>

#include "base/limits.h"

namespace xccl {
namespace {

constexpr std::uint64_t kNoClass = UINT64_MAX;

class Checker {
  public:
    Checker(const Steps& steps, const Party& party, bool in_place)
        : steps_(steps), party_(party), memory_(party, in_place, steps.scratch_chunk_count) {}

    Status run() {
        XCCL_TRY(check_shape());
        for (lane_ = 0; lane_ < steps_.lanes.size(); ++lane_) {
            const Lane& lane = steps_.lanes[lane_];
            for (step_ = 0; step_ < lane.steps.size(); ++step_) {
                XCCL_TRY(check_step(lane, lane.steps[step_]));
            }
        }
        return check_strands();
    }

  private:
    template <typename... Args>
    Status wrong(fmt::format_string<Args...> text, Args&&... args) const {
        return internal_error("rank {}, lane {}, step {}: {}", steps_.rank, lane_, step_,
                              fmt::format(text, std::forward<Args>(args)...));
    }

    Status check_shape() const;
    Status check_step(const Lane& lane, const Step& step) const;
    Status check_bounds(const Operand& operand, std::uint32_t span, bool written) const;
    Status check_lengths(std::span<const Operand> operands, std::uint32_t span) const;
    Status check_peers(std::span<const Operand> operands) const;
    Status check_overlap(const Lane& lane, const Step& step) const;
    Status check_strands();
    std::uint64_t class_of(const Operand& operand, std::uint32_t i) const;
    std::uint32_t cell(const Operand& operand) const {
        return memory_.cell(operand.space, operand.chunk);
    }

    const Steps& steps_;
    const Party party_;
    const MemoryMap memory_;
    std::size_t lane_ = 0;
    std::size_t step_ = 0;
};

Status Checker::check_shape() const {
    const bool bad_lanes = steps_.lanes.empty() || steps_.lanes.size() > kMaxLanes ||
                           steps_.strand_count == 0 ||
                           steps_.lanes.size() % steps_.strand_count != 0;
    if (bad_lanes || steps_.chunk_count < 1 || steps_.max_span < 1) {
        return wrong("{} lanes, {} strands, {} chunks", steps_.lanes.size(), steps_.strand_count,
                     steps_.chunk_count);
    }
    std::vector<bool> known(static_cast<std::size_t>(steps_.rank_count));
    for (std::uint16_t peer : steps_.peers) {
        if (peer >= steps_.rank_count || peer == steps_.rank) return wrong("no peer {}", peer);
        if (known[peer]) return wrong("peer {} has two indices", peer);
        known[peer] = true;
    }
    return ok_status();
}

Status Checker::check_step(const Lane& lane, const Step& step) const {
    const std::size_t end =
        std::size_t{step.first_operand} + step.source_count + step.destination_count;
    if (step.source_count < 1 || step.source_count > kMaxReduceSources ||
        step.destination_count < 1 || step.span < 1 || step.span > steps_.max_span ||
        end > lane.operands.size()) {
        return wrong("{} sources, {} destinations, span {}", step.source_count,
                     step.destination_count, step.span);
    }
    for (const Operand& operand : lane.sources(step)) {
        XCCL_TRY(check_bounds(operand, step.span, false));
    }
    for (const Operand& operand : lane.destinations(step)) {
        XCCL_TRY(check_bounds(operand, step.span, true));
    }
    XCCL_TRY(check_peers(lane.sources(step)));
    XCCL_TRY(check_peers(lane.destinations(step)));
    const std::span<const Operand> operands(
        lane.operands.data() + step.first_operand,
        step.source_count + std::size_t{step.destination_count});
    XCCL_TRY(check_lengths(operands, step.span));
    return check_overlap(lane, step);
}

Status Checker::check_bounds(const Operand& operand, std::uint32_t span, bool written) const {
    std::uint64_t limit = steps_.chunk_count;
    switch (operand.space) {
        case Space::kInput:
            if (written) return wrong("writes to the input");
            limit = input_chunk_count(party_);
            break;
        case Space::kOutput:
            limit = output_chunk_count(party_);
            break;
        case Space::kScratch:
            limit = steps_.scratch_chunk_count;
            break;
        case Space::kSlot:
            if (operand.peer_index >= steps_.peers.size()) return wrong("no such peer");
            if (operand.chunk >= limit) return wrong("no chunk {}", operand.chunk);
            return ok_status();  // a message's chunks wrap around
        default:
            return wrong("no such space");
    }
    if (std::uint64_t{operand.chunk} + span > limit) {
        return wrong("chunks {} + {} of a space of {}", operand.chunk, span, limit);
    }
    return ok_status();
}

// The executor takes a step's lengths from any one of its operands.
Status Checker::check_lengths(std::span<const Operand> operands, std::uint32_t span) const {
    if (party_.contract == Contract::kAllToAll && span > 1) return wrong("a span in an all_to_all");
    for (std::uint32_t i = 0; i < span; ++i) {
        std::uint64_t expected = kNoClass;
        for (const Operand& operand : operands) {
            const std::uint64_t found = class_of(operand, i);
            if (expected == kNoClass) expected = found;
            if (found != kNoClass && found != expected) {
                return wrong("moves between chunks whose lengths may differ");
            }
        }
        if (expected == kNoClass) return wrong("nothing tells the length");
    }
    return ok_status();
}

std::uint64_t Checker::class_of(const Operand& operand, std::uint32_t i) const {
    if (operand.space == Space::kInput || operand.space == Space::kOutput) {
        return length_class(party_, operand.space, operand.chunk + i);
    }
    if (party_.contract == Contract::kAllToAll) return kNoClass;
    return (operand.chunk + i) % steps_.chunk_count;
}

Status Checker::check_peers(std::span<const Operand> operands) const {
    std::vector<std::uint16_t> peers;
    for (const Operand& operand : operands) {
        if (operand.space == Space::kSlot) peers.push_back(operand.peer_index);
    }
    std::sort(peers.begin(), peers.end());
    const auto twice = std::adjacent_find(peers.begin(), peers.end());
    if (twice != peers.end()) return wrong("names peer {} twice", steps_.peers[*twice]);
    return ok_status();
}

Status Checker::check_overlap(const Lane& lane, const Step& step) const {
    const auto destinations = lane.destinations(step);
    for (std::size_t d = 0; d < destinations.size(); ++d) {
        if (destinations[d].space == Space::kSlot) continue;
        const std::uint32_t at = cell(destinations[d]);
        const auto touches = [&](const Operand& other) {
            return other.space != Space::kSlot && at < cell(other) + step.span &&
                   cell(other) < at + step.span;
        };
        for (const Operand& source : lane.sources(step)) {
            if (touches(source) && cell(source) != at) return wrong("shifts a span onto itself");
        }
        for (std::size_t other = 0; other < d; ++other) {
            if (touches(destinations[other])) return wrong("writes a cell twice");
        }
    }
    return ok_status();
}

// Strands of one tile run side by side, in any order.
Status Checker::check_strands() {
    if (steps_.strand_count == 1) return ok_status();
    constexpr std::uint32_t kNobody = UINT32_MAX, kSeveral = UINT32_MAX - 1;
    for (std::size_t first = 0; first < steps_.lanes.size(); first += steps_.strand_count) {
        std::vector<std::uint32_t> user(memory_.buffer_cell_count(), kNobody);
        std::vector<bool> written(memory_.buffer_cell_count());
        for (std::uint32_t strand = 0; strand < steps_.strand_count; ++strand) {
            const Lane& lane = steps_.lanes[first + strand];
            for (const Step& step : lane.steps) {
                const std::size_t count = step.source_count + std::size_t{step.destination_count};
                for (std::size_t o = 0; o < count; ++o) {
                    const Operand& operand = lane.operands[step.first_operand + o];
                    if (operand.space != Space::kInput && operand.space != Space::kOutput) continue;
                    for (std::uint32_t i = 0; i < step.span; ++i) {
                        std::uint32_t& who = user[cell(operand) + i];
                        who = who == kNobody || who == strand ? strand : kSeveral;
                        if (o >= step.source_count) written[cell(operand) + i] = true;
                    }
                }
            }
        }
        for (std::size_t c = 0; c < user.size(); ++c) {
            if (user[c] == kSeveral && written[c]) return wrong("two strands share cell {}", c);
        }
    }
    return ok_status();
}

}  // namespace

MemoryMap::MemoryMap(const Party& party, bool in_place, std::uint32_t scratch_chunk_count) {
    const std::uint32_t inputs = input_chunk_count(party);
    const std::uint32_t outputs = output_chunk_count(party);
    if (in_place && inputs > 0 && outputs > 0) {
        const auto rank = static_cast<std::uint32_t>(party.rank);
        if (inputs < outputs) input_start_ = rank;
        if (outputs < inputs) output_start_ = rank;
        scratch_start_ = std::max(inputs, outputs);
    } else {
        output_start_ = inputs;
        scratch_start_ = inputs + outputs;
    }
    cell_count_ = scratch_start_ + scratch_chunk_count;
}

Status check_steps(const Steps& steps, const Party& party, bool in_place) {
    return Checker(steps, party, in_place).run();
}

}  // namespace xccl
