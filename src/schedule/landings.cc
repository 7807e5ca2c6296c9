#include "schedule/landings.h"

#include <map>
#include <utility>

namespace xccl {
namespace {

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

}  // namespace xccl
