#include "executor/references.h"

#include <algorithm>
#include <map>
#include <span>

namespace xccl {
namespace {

// The last step of each lane that writes a chunk of the output.
using LastWrites = std::map<std::uint32_t, std::size_t>;

LastWrites last_writes_of(const BoundLane& lane) {
    LastWrites last;
    for (std::size_t index = 0; index < lane.steps.size(); ++index) {
        const BoundStep& step = lane.steps[index];
        for (const BoundOperand& operand : lane.destinations(step)) {
            for (std::uint32_t i = 0; operand.space == Space::kOutput && i < step.span; ++i) {
                last[operand.chunk + i] = index;
            }
        }
    }
    return last;
}

class Finder {
  public:
    Finder(const Launch& launch, bool wide, std::vector<BoundLane>* lanes)
        : launch_(launch), wide_(wide), lanes_(*lanes) {
        last_writes_.reserve(lanes->size());
        for (const BoundLane& lane : *lanes) last_writes_.push_back(last_writes_of(lane));
    }

    void run() {
        for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
            for (std::size_t index = 0; index < lanes_[lane].steps.size(); ++index) {
                BoundStep& step = lanes_[lane].steps[index];
                if (step.send_count > 0) step.referred = referred_by(lane, index);
            }
        }
    }

  private:
    // The operand that all messages of the step are equal to; kNoOperand if there is none that may
    // be referred to.
    std::uint16_t referred_by(std::size_t lane, std::size_t index) const {
        const BoundStep& step = lanes_[lane].steps[index];
        const bool one_run = step.span == 1 || step.coalesced;
        if (wide_ || !one_run) return BoundStep::kNoOperand;
        const std::span<const BoundOperand> operands = lanes_[lane].operands_of(step);
        for (std::uint16_t i = 0; i < operands.size(); ++i) {
            const bool is_source = i < step.source_count;
            if (is_source && step.kind != BoundStep::Kind::kCopy) continue;
            if (operands[i].space == Space::kInput) return i;
            if (operands[i].space == Space::kOutput && stays(lane, index, operands[i].chunk)) {
                return i;
            }
        }
        return BoundStep::kNoOperand;
    }

    // Is the step the last that changes these chunks of the output in its tile?
    bool stays(std::size_t lane, std::size_t index, std::uint32_t chunk) const {
        if (launch_.divide_output_by != 0) return false;  // it is divided when the tile is complete
        const std::uint32_t span = lanes_[lane].steps[index].span;
        for (std::size_t other = 0; other < lanes_.size(); ++other) {
            if (lanes_[other].first_tile != lanes_[lane].first_tile) continue;  // of another tile
            const auto& last = last_writes_[other];
            for (auto write = last.lower_bound(chunk);
                 write != last.end() && write->first < chunk + span; ++write) {
                if (other != lane || write->second > index) return false;
            }
        }
        return true;
    }

    const Launch& launch_;
    const bool wide_;
    std::vector<BoundLane>& lanes_;
    std::vector<LastWrites> last_writes_;
};

}  // namespace

void find_references(const Launch& launch, bool wide, std::vector<BoundLane>* lanes) {
    Finder(launch, wide, lanes).run();
}

}  // namespace xccl
