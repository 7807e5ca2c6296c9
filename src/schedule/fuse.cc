#include "schedule/fuse.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace xccl {
namespace {

// Of a move, so that passes stay linear: reading a chunk again for each 64 peers costs nothing.
constexpr std::size_t kMaxDestinations = 64;

// A step with operands of its own, while it may still grow.
struct Move {
    std::vector<Operand> sources;
    std::vector<Operand> destinations;
    std::uint32_t span = 1;
    std::uint32_t round = 0;
};

bool in_memory(const Operand& operand) {
    return operand.space != Space::kSlot;
}

bool overlap(const Operand& a, const Operand& b, std::uint32_t span) {
    return in_memory(a) && a.space == b.space && a.chunk < b.chunk + span &&
           b.chunk < a.chunk + span;
}

bool is_power_of_two(std::size_t n) {
    return n > 0 && (n & (n - 1)) == 0;
}

// May `b` be added to these operands of a move: is it neither there already, nor over them?
bool fits(const std::vector<Operand>& operands, const Operand& b, std::uint32_t span) {
    return std::none_of(operands.begin(), operands.end(), [&](const Operand& a) {
        const bool same_peer = !in_memory(a) && !in_memory(b) && a.peer_index == b.peer_index;
        return same_peer || overlap(a, b, span);
    });
}

// Every destination of `b` joins `a`. A cell that `a` reads may be written by the same move only if
// the two are the same cell.
bool join_destinations(Move& a, const Move& b) {
    if (a.destinations.size() + b.destinations.size() > kMaxDestinations) return false;
    for (const Operand& destination : b.destinations) {
        const bool shifted =
            std::any_of(a.sources.begin(), a.sources.end(), [&](const Operand& source) {
                return overlap(source, destination, a.span) && source != destination;
            });
        if (shifted || !fits(a.destinations, destination, a.span)) return false;
    }
    a.destinations.insert(a.destinations.end(), b.destinations.begin(), b.destinations.end());
    return true;
}

// Two copies of one cell to different places.
bool multicast(Move& a, const Move& b) {
    if (a.sources.size() != 1 || a.sources != b.sources || !in_memory(a.sources[0])) return false;
    return fits(a.destinations, a.sources[0], a.span) && join_destinations(a, b);
}

// `b` passes on what `a` has just written.
bool forward(Move& a, const Move& b) {
    if (b.sources.size() != 1 || !in_memory(b.sources[0])) return false;
    const bool written = std::find(a.destinations.begin(), a.destinations.end(), b.sources[0]) !=
                         a.destinations.end();
    return written && join_destinations(a, b);
}

// `b` adds one term to what `a` has just written, in place.
bool accumulate(Move& a, const Move& b) {
    if (a.destinations.size() != 1 || b.sources.size() != 2 || !is_power_of_two(a.sources.size()) ||
        a.sources.size() + 1 > kMaxReduceSources) {
        return false;
    }
    const Operand& sum = a.destinations[0];
    const int position = b.sources[0] == sum ? 0 : 1;
    const Operand& term = b.sources[1 - position];
    const bool replaced =
        std::find(b.destinations.begin(), b.destinations.end(), sum) != b.destinations.end();
    if (!in_memory(sum) || b.sources[position] != sum || !replaced || term == sum) return false;
    if (!in_memory(term) && !fits(a.sources, term, a.span)) return false;
    a.sources.push_back(term);
    a.destinations = b.destinations;
    return true;
}

std::vector<Move> moves_of(const Lane& lane) {
    std::vector<Move> moves;
    for (const Step& step : lane.steps) {
        const auto sources = lane.sources(step);
        const auto destinations = lane.destinations(step);
        Move next{{sources.begin(), sources.end()},
                  {destinations.begin(), destinations.end()},
                  step.span,
                  step.round};
        if (!moves.empty() && moves.back().span == next.span) {
            Move& last = moves.back();
            if (accumulate(last, next) || forward(last, next) || multicast(last, next)) continue;
        }
        moves.push_back(std::move(next));
    }
    return moves;
}

// Which cells are still to be read, looking back from the end of a lane.
class Liveness {
  public:
    bool is_live(const Operand& operand, std::uint32_t span) {
        bool live = false;
        for (std::uint32_t i = 0; i < span; ++i) live |= cell(operand, i) != 0;
        return live;
    }
    void set(const Operand& operand, std::uint32_t span, bool live) {
        if (!in_memory(operand)) return;
        for (std::uint32_t i = 0; i < span; ++i) cell(operand, i) = live ? 1 : 0;
    }

  private:
    // At the end of a tile the output is live, and scratch is not.
    std::uint8_t& cell(const Operand& operand, std::uint32_t i) {
        std::vector<std::uint8_t>& cells = live_[static_cast<std::size_t>(operand.space)];
        const std::size_t at = std::size_t{operand.chunk} + i;
        if (at >= cells.size()) cells.resize(at + 1, operand.space == Space::kOutput ? 1 : 0);
        return cells[at];
    }
    std::array<std::vector<std::uint8_t>, 3> live_;  // by space: input, output, scratch
};

// A message that nobody wants must still be taken from its mailbox, so it keeps one destination.
void drop_dead_stores(std::vector<Move>& moves) {
    Liveness liveness;
    for (auto move = moves.rbegin(); move != moves.rend(); ++move) {
        const bool takes_message =
            std::any_of(move->sources.begin(), move->sources.end(),
                        [](const Operand& source) { return !in_memory(source); });
        auto& destinations = move->destinations;
        for (std::size_t i = destinations.size(); i-- > 0;) {
            const bool needed = !in_memory(destinations[i]) ||
                                liveness.is_live(destinations[i], move->span) ||
                                (takes_message && destinations.size() == 1);
            if (!needed) destinations.erase(destinations.begin() + static_cast<std::ptrdiff_t>(i));
        }
        if (destinations.empty()) {
            move->sources.clear();
            continue;
        }
        for (const Operand& operand : destinations) liveness.set(operand, move->span, false);
        for (const Operand& operand : move->sources) liveness.set(operand, move->span, true);
    }
    std::erase_if(moves, [](const Move& move) { return move.sources.empty(); });
}

Lane lane_of(const std::vector<Move>& moves) {
    Lane lane;
    for (const Move& move : moves) {
        lane.steps.push_back(
            {.first_operand = static_cast<std::uint32_t>(lane.operands.size()),
             .source_count = static_cast<std::uint16_t>(move.sources.size()),
             .destination_count = static_cast<std::uint16_t>(move.destinations.size()),
             .span = move.span,
             .round = move.round});
        lane.operands.insert(lane.operands.end(), move.sources.begin(), move.sources.end());
        lane.operands.insert(lane.operands.end(), move.destinations.begin(),
                             move.destinations.end());
    }
    return lane;
}

std::uint32_t scratch_used(const std::vector<Move>& moves) {
    std::uint32_t used = 0;
    for (const Move& move : moves) {
        for (const auto* operands : {&move.sources, &move.destinations}) {
            for (const Operand& operand : *operands) {
                if (operand.space != Space::kScratch) continue;
                used = std::max(used, operand.chunk + move.span);
            }
        }
    }
    return used;
}

}  // namespace

Steps fuse(Steps steps) {
    std::uint32_t scratch = 0;
    for (Lane& lane : steps.lanes) {
        std::vector<Move> moves = moves_of(lane);
        drop_dead_stores(moves);
        scratch = std::max(scratch, scratch_used(moves));
        lane = lane_of(moves);
    }
    steps.scratch_chunk_count = scratch;
    return steps;
}

}  // namespace xccl
