// Runs the steps of all ranks on numbers, in a random order: what the verifier says of a program is
// held against what the program does. Written apart from the verifier, and simpler: it knows no
// contract, chunk name or expression, only memory, messages and mailboxes of bounded length.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "schedule/contract.h"
#include "schedule/steps.h"

namespace xccl::testing {

// Numbers are summed modulo 2^64, and inputs are random: a term that is missing, doubled or of
// another chunk changes the sum, almost surely.
using Number = std::uint64_t;

struct NumbersRun {
    bool finished = false;                     // else it is stuck, or read what was never written
    std::vector<std::vector<Number>> outputs;  // by rank, of one pass
};

class Numbers {
  public:
    Numbers(std::span<const Steps> ranks, Contract contract, int root, bool in_place,
            std::uint32_t slot_count, std::uint64_t seed)
        : ranks_(ranks), slot_count_(slot_count), random_(seed) {
        std::mt19937_64 values(1);  // the same inputs for every seed
        for (const Steps& steps : ranks) {
            const Party party{contract, steps.rank, steps.rank_count, root, steps.chunk_count};
            Memory memory;
            const std::uint32_t inputs = input_chunk_count(party);
            const std::uint32_t outputs = output_chunk_count(party);
            const auto rank = static_cast<std::uint32_t>(steps.rank);
            memory.output_at =
                in_place && inputs > 0 && outputs > 0 ? (outputs < inputs ? rank : 0) : inputs;
            memory.input_at = in_place && inputs > 0 && inputs < outputs ? rank : 0;
            memory.cells.resize(inputs + outputs);
            for (std::uint32_t chunk = 0; chunk < inputs; ++chunk) {
                memory.cells[memory.input_at + chunk] = values();
            }
            memory.output_count = outputs;
            memory_.push_back(std::move(memory));
            for (std::size_t lane = 0; lane < steps.strand_count; ++lane) {
                walkers_.push_back({steps.rank, lane, 0, {}});
                walkers_.back().scratch.resize(steps.scratch_chunk_count);
            }
        }
    }

    NumbersRun run() {
        std::vector<std::size_t> order(walkers_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        bool moved = true;
        while (moved && !failed_) {
            moved = false;
            std::shuffle(order.begin(), order.end(), random_);
            for (std::size_t index : order) moved |= step(walkers_[index]);
        }
        NumbersRun result;
        result.finished = !failed_ && is_finished();
        for (const Memory& memory : memory_) {
            std::vector<Number>& output = result.outputs.emplace_back();
            for (std::uint32_t chunk = 0; chunk < memory.output_count; ++chunk) {
                const auto& cell = memory.cells[memory.output_at + chunk];
                result.finished &= cell.has_value();
                output.push_back(cell.value_or(0));
            }
        }
        return result;
    }

  private:
    struct Memory {
        std::vector<std::optional<Number>> cells;
        std::uint32_t input_at = 0;
        std::uint32_t output_at = 0;
        std::uint32_t output_count = 0;
    };
    struct Walker {
        int rank;
        std::size_t lane;
        std::size_t position;
        std::vector<std::optional<Number>> scratch;
    };
    using Mailbox = std::deque<std::vector<std::optional<Number>>>;

    Mailbox& mailbox(int from, int to, std::size_t lane) { return mailboxes_[{from, to, lane}]; }

    std::optional<Number>& cell(Walker& walker, const Operand& operand, std::uint32_t i) {
        Memory& memory = memory_[walker.rank];
        if (operand.space == Space::kScratch) return walker.scratch[operand.chunk + i];
        const bool is_input = operand.space == Space::kInput;
        return memory.cells[(is_input ? memory.input_at : memory.output_at) + operand.chunk + i];
    }

    // Takes the walker's next step if it can be taken.
    bool step(Walker& walker) {
        const Steps& steps = ranks_[walker.rank];
        const Lane& lane = steps.lanes[walker.lane];
        if (walker.position == lane.steps.size()) return false;
        const Step& step = lane.steps[walker.position];
        for (const Operand& o : lane.sources(step)) {
            if (o.space != Space::kSlot) continue;
            if (mailbox(steps.peers[o.peer_index], walker.rank, walker.lane).empty()) return false;
        }
        for (const Operand& o : lane.destinations(step)) {
            if (o.space != Space::kSlot) continue;
            if (mailbox(walker.rank, steps.peers[o.peer_index], walker.lane).size() >=
                slot_count_) {
                return false;
            }
        }
        std::vector<std::optional<Number>> values(step.span, Number{0});
        for (const Operand& o : lane.sources(step)) add(walker, o, values);
        for (const Operand& o : lane.destinations(step)) {
            if (o.space == Space::kSlot) {
                mailbox(walker.rank, steps.peers[o.peer_index], walker.lane).push_back(values);
                continue;
            }
            for (std::uint32_t i = 0; i < step.span; ++i) cell(walker, o, i) = values[i];
        }
        ++walker.position;
        return true;
    }

    void add(Walker& walker, const Operand& operand, std::vector<std::optional<Number>>& values) {
        std::vector<std::optional<Number>> terms(values.size());
        if (operand.space == Space::kSlot) {
            Mailbox& box =
                mailbox(ranks_[walker.rank].peers[operand.peer_index], walker.rank, walker.lane);
            terms = box.front();
            box.pop_front();
            failed_ |= terms.size() != values.size();
        } else {
            for (std::uint32_t i = 0; i < values.size(); ++i) terms[i] = cell(walker, operand, i);
        }
        for (std::size_t i = 0; i < values.size() && !failed_; ++i) {
            failed_ |= !terms[i].has_value();
            if (!failed_) *values[i] += *terms[i];
        }
    }

    bool is_finished() const {
        for (const Walker& walker : walkers_) {
            const Lane& lane = ranks_[walker.rank].lanes[walker.lane];
            if (walker.position != lane.steps.size()) return false;
        }
        for (const auto& [key, box] : mailboxes_) {
            if (!box.empty()) return false;
        }
        return true;
    }

    const std::span<const Steps> ranks_;
    const std::uint32_t slot_count_;
    std::mt19937_64 random_;
    std::vector<Memory> memory_;
    std::vector<Walker> walkers_;
    std::map<std::tuple<int, int, std::size_t>, Mailbox> mailboxes_;
    bool failed_ = false;
};

}  // namespace xccl::testing
