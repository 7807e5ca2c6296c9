#include "executor/references.h"

#include <algorithm>
#include <map>
#include <span>

#include "schedule/landings.h"
#include "schedule/overwrites.h"

namespace xccl {
namespace {

// The last step of a lane that uses each chunk of the output.
using LastUses = std::map<std::uint32_t, std::size_t>;

void note_uses(std::span<const BoundOperand> operands, std::uint32_t span, std::size_t index,
               LastUses* last) {
    for (const BoundOperand& operand : operands) {
        for (std::uint32_t i = 0; operand.space == Space::kOutput && i < span; ++i) {
            (*last)[operand.chunk + i] = index;
        }
    }
}

class Finder {
  public:
    Finder(const Launch& launch, const std::vector<Link*>& links, bool wide,
           std::vector<BoundLane>* lanes)
        : launch_(launch), links_(links), wide_(wide), lanes_(*lanes) {
        for (const BoundLane& lane : *lanes) {
            LastUses& writes = last_writes_.emplace_back();
            LastUses& uses = last_uses_.emplace_back();
            for (std::size_t index = 0; index < lane.steps.size(); ++index) {
                const BoundStep& step = lane.steps[index];
                note_uses(lane.destinations(step), step.span, index, &writes);
                note_uses(lane.operands_of(step), step.span, index, &uses);
            }
        }
    }

    void run() {
        for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
            for (std::size_t index = 0; index < lanes_[lane].steps.size(); ++index) {
                BoundStep& step = lanes_[lane].steps[index];
                if (step.send_count > 0) step.referred = referred_by(lane, index);
                if (step.receive_count > 0 && step.send_count > 0) note_answers(lanes_[lane], step);
                step.leaves_output = leaves_output(lane, index);
                step.posted = posted_of(lanes_[lane], step);
            }
            if (launch_.steps->read_in_place || divides_launch()) note_overwritten(lane);
            if (launch_.steps->lands) note_landings(lane);
            if (divides_launch()) {
                lanes_[lane].steps[0].offers = lanes_[lane].steps[1].divides = true;
            }
        }
    }

  private:
    // Averages of integers are made when a tile is complete, and not by who has summed them.
    bool divides_launch() const {
        return launch_.steps->divides && !wide_ && !launch_.scale_input &&
               launch_.divide_output_by == 0;
    }

    // All that a message of the step holds is one run of bytes, as it is in a buffer.
    bool is_one_run(const BoundStep& step) const {
        return !wide_ && (step.span == 1 || step.coalesced);
    }

    // Which of its messages goes back to whom one has come from; and, if both are one run of the
    // same chunk, is the answer to that one.
    void note_answers(BoundLane& lane, BoundStep& step) const {
        const std::span<const BoundOperand> operands = lane.operands_of(step);
        const auto ends = std::span(lane.ends).subspan(step.first_end);
        for (BoundEnd& send : ends.subspan(step.receive_count, step.send_count)) {
            for (BoundEnd& receive : ends.first(step.receive_count)) {
                if (receive.link != send.link) continue;
                receive.answered = true;
                if (!is_one_run(step) ||
                    operands[receive.operand].chunk != operands[send.operand].chunk) {
                    continue;
                }
                send.answers = static_cast<std::uint16_t>(receive.operand);
                step.answers = true;
            }
        }
    }

    // Chunks of an input and an output that are cut alike.
    void note_landings(std::size_t index) {
        BoundLane& lane = lanes_[index];
        for (const Landing& landing : landings_of(launch_.steps->lanes[index])) {
            const BoundStep& sent = lane.steps[landing.sent];
            BoundStep& received = lane.steps[landing.received];
            if (!is_one_run(sent) || !is_one_run(received)) continue;
            lane.ends[sent.first_end].offers = true;
            received.lands = true;
        }
    }

    // The operand that all messages of the step are equal to; kNoOperand if there is none that may
    // be referred to.
    std::uint16_t referred_by(std::size_t lane, std::size_t index) const {
        const BoundStep& step = lanes_[lane].steps[index];
        if (!is_one_run(step)) return BoundStep::kNoOperand;
        const std::span<const BoundOperand> operands = lanes_[lane].operands_of(step);
        for (std::size_t i = 0; i < operands.size(); ++i) {
            const bool is_source = i < step.source_count;
            if (is_source && step.kind != BoundStep::Kind::kCopy) continue;
            if (operands[i].space == Space::kInput) return static_cast<std::uint16_t>(i);
            if (operands[i].space == Space::kOutput && stays(lane, index, operands[i].chunk)) {
                return static_cast<std::uint16_t>(i);
            }
        }
        return BoundStep::kNoOperand;
    }

    std::uint16_t posted_of(const BoundLane& lane, const BoundStep& step) const {
        if (step.kind != BoundStep::Kind::kCopy || !is_one_run(step) || step.receive_count != 1 ||
            step.receives()[0].link->carrier == nullptr) {
            return BoundStep::kNoOperand;
        }
        const std::span<const BoundOperand> operands = lane.operands_of(step);
        for (std::size_t i = step.source_count; i < operands.size(); ++i) {
            if (operands[i].space != Space::kSlot) return static_cast<std::uint16_t>(i);
        }
        return BoundStep::kNoOperand;
    }

    void note_overwritten(std::size_t index) {
        BoundLane& lane = lanes_[index];
        std::map<const Link*, std::vector<std::uint32_t>> sends;  // ends, in order
        for (std::uint32_t end = 0; end < lane.ends.size(); ++end) {
            if (lane.ends[end].sender != nullptr) sends[lane.ends[end].link].push_back(end);
        }
        for (const Overwrite& overwrite : overwrites_of(launch_.steps->lanes[index])) {
            BoundStep& step = lane.steps[overwrite.step];
            if (step.overwritten_count++ == 0) {
                step.first_overwritten = static_cast<std::uint32_t>(lane.overwritten.size());
            }
            lane.overwritten.push_back(sends[links_[overwrite.peer_index]][overwrite.message - 1]);
        }
    }

    bool leaves_output(std::size_t lane, std::size_t index) const {
        if (launch_.divide_output_by != 0) return false;  // it is read when the tile is complete
        const BoundStep& step = lanes_[lane].steps[index];
        for (const BoundOperand& operand : lanes_[lane].destinations(step)) {
            if (operand.space != Space::kOutput) continue;
            return !is_used(last_uses_, lane, index, operand.chunk);
        }
        return false;
    }

    // Is the step the last that changes these chunks of the output in its tile?
    bool stays(std::size_t lane, std::size_t index, std::uint32_t chunk) const {
        if (launch_.divide_output_by != 0) return false;  // it is divided when the tile is complete
        return !is_used(last_writes_, lane, index, chunk);
    }

    // Does another lane of the tile use the step's chunks, or a later step of this lane?
    bool is_used(const std::vector<LastUses>& uses, std::size_t lane, std::size_t index,
                 std::uint32_t chunk) const {
        const std::uint32_t span = lanes_[lane].steps[index].span;
        for (std::size_t other = 0; other < lanes_.size(); ++other) {
            if (lanes_[other].first_tile != lanes_[lane].first_tile) continue;  // of another tile
            const LastUses& last = uses[other];
            for (auto use = last.lower_bound(chunk); use != last.end() && use->first < chunk + span;
                 ++use) {
                if (other != lane || use->second > index) return true;
            }
        }
        return false;
    }

    const Launch& launch_;
    const std::vector<Link*>& links_;
    const bool wide_;
    std::vector<BoundLane>& lanes_;
    std::vector<LastUses> last_writes_;  // by lane
    std::vector<LastUses> last_uses_;    // reads and writes
};

}  // namespace

void find_references(const Launch& launch, const std::vector<Link*>& links, bool wide,
                     std::vector<BoundLane>* lanes) {
    Finder(launch, links, wide, lanes).run();
}

}  // namespace xccl
