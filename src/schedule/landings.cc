#include "schedule/landings.h"

#include <algorithm>
#include <map>
#include <utility>

namespace xccl {
namespace {

// Whose terms a step combines, in order; nothing if it is not what are_divisible() says.
std::vector<int> terms_of(const Steps& steps, const Lane& lane) {
    if (lane.steps.size() != 2) return {};
    const Step& send = lane.steps[0];
    const Step& combine = lane.steps[1];
    const auto others = static_cast<std::size_t>(steps.rank_count) - 1;
    const Operand whole{.space = Space::kInput, .chunk = 0};
    const Operand result{.space = Space::kOutput, .chunk = 0};
    if (steps.chunk_count != 1 || send.span != 1 || combine.span != 1 || send.source_count != 1 ||
        lane.sources(send)[0] != whole || send.destination_count != others ||
        combine.source_count != others + 1 || combine.destination_count != 1 ||
        lane.destinations(combine)[0] != result) {
        return {};
    }
    for (const Operand& operand : lane.destinations(send)) {
        if (operand.space != Space::kSlot) return {};
    }
    std::vector<int> terms;
    for (const Operand& operand : lane.sources(combine)) {
        if (operand.space != Space::kSlot && operand != whole) return {};
        terms.push_back(operand.space == Space::kSlot ? steps.peers[operand.peer_index]
                                                      : steps.rank);
    }
    return terms;
}

bool sends_input_to_one(const Lane& lane, const Step& step) {
    return step.source_count == 1 && step.destination_count == 1 &&
           lane.sources(step)[0].space == Space::kInput &&
           lane.destinations(step)[0].space == Space::kSlot;
}

bool stores_message(const Lane& lane, const Step& step) {
    return step.source_count == 1 && step.destination_count == 1 &&
           lane.sources(step)[0].space == Space::kSlot &&
           lane.destinations(step)[0].space == Space::kOutput &&
           lane.destinations(step)[0].chunk == lane.sources(step)[0].chunk;
}

class LandingFinder {
  public:
    explicit LandingFinder(const Lane& lane) : lane_(lane) {
        for (std::uint32_t index = 0; index < lane.steps.size(); ++index) note(index);
    }

    std::vector<Landing> run() const {
        std::vector<Landing> found;
        for (std::uint32_t index = 0; index < lane_.steps.size(); ++index) {
            const Step& step = lane_.steps[index];
            if (!sends_input_to_one(lane_, step)) continue;
            const std::uint32_t chunk = lane_.sources(step)[0].chunk;
            const auto first = uses_.find(chunk);
            const Uses& uses = first->second;
            if (uses.first != index || uses.second == kNone) continue;
            if (is_answer(step, lane_.steps[uses.second])) found.push_back({index, uses.second});
        }
        return found;
    }

  private:
    static constexpr std::uint32_t kNone = UINT32_MAX;
    struct Uses {  // the first two steps that use a chunk
        std::uint32_t first = kNone;
        std::uint32_t second = kNone;
        bool operator==(const Uses&) const = default;
    };

    void note(std::uint32_t index) {
        const Step& step = lane_.steps[index];
        const std::uint32_t count = step.source_count + std::uint32_t{step.destination_count};
        for (std::uint32_t o = 0; o < count; ++o) {
            const Operand& operand = lane_.operands[step.first_operand + o];
            for (std::uint32_t i = 0; i < step.span; ++i) {
                if (operand.space == Space::kInput || operand.space == Space::kOutput) {
                    note_use(index, operand.chunk + i);
                } else if (operand.space == Space::kSlot && o < step.source_count) {
                    ++received_[{operand.peer_index, operand.chunk + i}];
                }
            }
        }
    }

    void note_use(std::uint32_t index, std::uint32_t chunk) {
        Uses& uses = uses_[chunk];
        if (uses.first == kNone) {
            uses.first = index;
        } else if (uses.second == kNone && uses.first != index) {
            uses.second = index;
        }
    }

    // Does `to` receive what comes back for what `from` sends, and is it used by no step between?
    bool is_answer(const Step& from, const Step& to) const {
        if (!stores_message(lane_, to) || to.span != from.span) return false;
        const Operand& sent = lane_.destinations(from)[0];
        const Operand& received = lane_.sources(to)[0];
        const std::uint32_t chunk = lane_.sources(from)[0].chunk;
        if (received.peer_index != sent.peer_index || received.chunk != chunk ||
            sent.chunk != chunk) {
            return false;
        }
        const Uses& uses = uses_.find(chunk)->second;
        for (std::uint32_t i = 0; i < to.span; ++i) {
            if (uses_.find(chunk + i)->second != uses) return false;
            if (received_.find({sent.peer_index, chunk + i})->second != 1) return false;
        }
        return true;
    }

    const Lane& lane_;
    std::map<std::uint32_t, Uses> uses_;  // by chunk, of the input and the output alike
    // Messages with that chunk, by peer.
    std::map<std::pair<std::uint16_t, std::uint32_t>, std::uint32_t> received_;
};

}  // namespace

std::vector<Landing> landings_of(const Lane& lane) {
    return LandingFinder(lane).run();
}

bool are_divisible(std::span<const Steps> ranks) {
    if (ranks.empty() || ranks[0].lanes.empty()) return false;
    const std::vector<int> terms = terms_of(ranks[0], ranks[0].lanes[0]);
    if (terms.empty()) return false;
    return std::all_of(ranks.begin(), ranks.end(), [&](const Steps& steps) {
        return std::all_of(steps.lanes.begin(), steps.lanes.end(),
                           [&](const Lane& lane) { return terms_of(steps, lane) == terms; });
    });
}

}  // namespace xccl
