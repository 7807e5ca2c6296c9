#include "schedule/verify.h"

#include <algorithm>
#include <unordered_map>

#include "base/limits.h"
#include "schedule/check_steps.h"
#include "schedule/contract.h"

namespace xccl {
namespace {

constexpr std::uint32_t kNobody = UINT32_MAX;

struct SymbolicMessage {
    std::uint32_t chunk = 0;
    std::uint64_t length_class = 0;
    std::vector<ExpressionId> values;
};

// One direction of one lane between two ranks: a bounded queue with one writer and one reader.
struct Channel {
    std::vector<SymbolicMessage> messages;   // oldest first; few
    std::uint32_t waiting_walker = kNobody;  // reader or writer: never both wait
};

// One lane of one rank, walking.
struct Walker {
    int rank = 0;
    std::uint32_t lane = 0;
    std::size_t step = 0;
    int pass = 0;
    std::vector<std::uint32_t> incoming;  // channel by peer index
    std::vector<std::uint32_t> outgoing;
    std::vector<ExpressionId> scratch;
    const Operand* missing = nullptr;  // a message that is not there, or a slot that is not free
    bool missing_message = false;
};

class Machine {
  public:
    Machine(std::span<const Steps> ranks, const VerifyOptions& options,
            const std::vector<MemoryMap>& memories, Proof& proof)
        : ranks_(ranks), options_(options), memories_(memories), proof_(proof) {
        fill_buffers();
    }

    // Runs the lanes of one copy of the program.
    Status run(std::uint32_t copy);
    Status check_outputs();

  private:
    Party party(int rank) const {
        return {options_.contract, rank, static_cast<int>(ranks_.size()), options_.root,
                ranks_[rank].chunk_count};
    }
    std::uint32_t label(int pass, std::uint32_t chunk) const {
        return static_cast<std::uint32_t>(pass) * label_stride_ + chunk;
    }
    std::vector<ExpressionId>& buffer(const Walker& walker) {
        return buffers_[static_cast<std::size_t>(walker.rank) * options_.passes + walker.pass];
    }
    void fill_buffers();
    void connect(std::uint32_t copy);
    std::uint32_t channel_between(int from, int to, std::uint32_t lane);
    Status advance(std::uint32_t index);
    bool is_ready(Walker& walker, const Lane& lane, const Step& step, std::uint32_t index);
    Status take(Walker& walker, const Lane& lane, const Step& step);
    Status gather(Walker& walker, const Lane& lane, const Step& step);
    Status read(Walker& walker, const Operand& operand, const Step& step, std::uint32_t i,
                ExpressionId* value);
    void write(Walker& walker, const Lane& lane, const Step& step, std::uint64_t length_class);
    void release(Walker& walker, const Lane& lane, const Step& step);
    void wake(Channel& channel);
    Status all_done() const;
    Status check_output(int rank, int pass, std::uint32_t chunk, ExpressionId value);
    bool is_expected(const Party& owner, int pass, std::uint32_t chunk, ExpressionId value);
    ExpressionId stored(ExpressionId value, Space space);
    std::uint64_t length_class_of(const Walker& walker, const Lane& lane, const Step& step) const;

    template <typename... Args>
    static Status wrong(const Walker& walker, fmt::format_string<Args...> text, Args&&... args) {
        return internal_error("rank {}, lane {}, step {}: {}", walker.rank, walker.lane,
                              walker.step, fmt::format(text, std::forward<Args>(args)...));
    }

    const std::span<const Steps> ranks_;
    const VerifyOptions& options_;
    const std::vector<MemoryMap>& memories_;
    Proof& proof_;
    const std::uint32_t label_stride_ = ranks_[0].chunk_count;
    std::vector<Walker> walkers_;
    std::vector<Channel> channels_;
    std::unordered_map<std::uint64_t, std::uint32_t> channel_index_;
    std::vector<std::uint32_t> runnable_;
    std::vector<std::vector<ExpressionId>> buffers_;  // [rank][pass][cell]
    std::vector<ExpressionId> values_;                // of the step that is being taken
    std::vector<ExpressionId> terms_;
    std::vector<Contributions> everybody_;  // by label
};

void Machine::fill_buffers() {
    for (int rank = 0; rank < static_cast<int>(ranks_.size()); ++rank) {
        for (int pass = 0; pass < options_.passes; ++pass) {
            std::vector<ExpressionId> cells(memories_[rank].buffer_cell_count(), kUndefined);
            const std::uint32_t count = input_chunk_count(party(rank));
            for (std::uint32_t chunk = 0; chunk < count; ++chunk) {
                const std::uint32_t work = work_of_input(party(rank), chunk);
                cells[memories_[rank].cell(Space::kInput, chunk)] =
                    proof_.expressions.leaf(rank, label(pass, work));
            }
            buffers_.push_back(std::move(cells));
        }
    }
}

std::uint32_t Machine::channel_between(int from, int to, std::uint32_t lane) {
    const std::uint64_t key =
        (static_cast<std::uint64_t>(from) << 24 | static_cast<unsigned>(to)) << 8 | lane;
    const auto [entry, is_new] =
        channel_index_.try_emplace(key, static_cast<std::uint32_t>(channels_.size()));
    if (is_new) channels_.emplace_back();
    return entry->second;
}

void Machine::connect(std::uint32_t copy) {
    walkers_.clear();
    for (const Steps& steps : ranks_) {
        for (std::uint32_t strand = 0; strand < steps.strand_count; ++strand) {
            Walker walker;
            walker.rank = steps.rank;
            walker.lane = copy * steps.strand_count + strand;
            walker.scratch.assign(steps.scratch_chunk_count, kUndefined);
            for (std::uint16_t peer : steps.peers) {
                walker.incoming.push_back(channel_between(peer, steps.rank, walker.lane));
                walker.outgoing.push_back(channel_between(steps.rank, peer, walker.lane));
            }
            runnable_.push_back(static_cast<std::uint32_t>(walkers_.size()));
            walkers_.push_back(std::move(walker));
        }
    }
}

Status Machine::run(std::uint32_t copy) {
    connect(copy);
    while (!runnable_.empty()) {
        const std::uint32_t index = runnable_.back();
        runnable_.pop_back();
        XCCL_TRY(advance(index));
    }
    return all_done();
}

Status Machine::advance(std::uint32_t index) {
    Walker& walker = walkers_[index];
    const Lane& lane = ranks_[walker.rank].lanes[walker.lane];
    for (; walker.pass < options_.passes; ++walker.pass, walker.step = 0) {
        for (; walker.step < lane.steps.size(); ++walker.step) {
            const Step& step = lane.steps[walker.step];
            if (!is_ready(walker, lane, step, index)) return ok_status();
            XCCL_TRY(take(walker, lane, step));
            ++proof_.step_count;
        }
        std::fill(walker.scratch.begin(), walker.scratch.end(), kUndefined);
    }
    return ok_status();
}

bool Machine::is_ready(Walker& walker, const Lane& lane, const Step& step, std::uint32_t index) {
    walker.missing = nullptr;
    for (const Operand& operand : lane.sources(step)) {
        if (operand.space != Space::kSlot) continue;
        Channel& channel = channels_[walker.incoming[operand.peer_index]];
        if (!channel.messages.empty()) continue;
        channel.waiting_walker = index;
        walker.missing = &operand;
        walker.missing_message = true;
        return false;
    }
    for (const Operand& operand : lane.destinations(step)) {
        if (operand.space != Space::kSlot) continue;
        Channel& channel = channels_[walker.outgoing[operand.peer_index]];
        if (channel.messages.size() < options_.slot_count) continue;
        channel.waiting_walker = index;
        walker.missing = &operand;
        walker.missing_message = false;
        return false;
    }
    return true;
}

Status Machine::take(Walker& walker, const Lane& lane, const Step& step) {
    const std::uint64_t length_class = length_class_of(walker, lane, step);
    for (const Operand& operand : lane.sources(step)) {
        if (operand.space != Space::kSlot) continue;
        const SymbolicMessage& message =
            channels_[walker.incoming[operand.peer_index]].messages.front();
        if (message.chunk != operand.chunk || message.values.size() != step.span ||
            message.length_class != length_class) {
            return wrong(walker, "expects chunks {} + {} of {}, gets {} + {}", operand.chunk,
                         step.span, ranks_[walker.rank].peers[operand.peer_index], message.chunk,
                         message.values.size());
        }
    }
    XCCL_TRY(gather(walker, lane, step));
    write(walker, lane, step, length_class);
    release(walker, lane, step);
    return ok_status();
}

std::uint64_t Machine::length_class_of(const Walker& walker, const Lane& lane,
                                       const Step& step) const {
    const std::size_t count = step.source_count + std::size_t{step.destination_count};
    for (std::size_t o = 0; o < count; ++o) {
        const Operand& operand = lane.operands[step.first_operand + o];
        if (operand.space == Space::kInput || operand.space == Space::kOutput) {
            return length_class(party(walker.rank), operand.space, operand.chunk);
        }
    }
    return lane.operands[step.first_operand].chunk % label_stride_;
}

Status Machine::gather(Walker& walker, const Lane& lane, const Step& step) {
    values_.clear();
    for (std::uint32_t i = 0; i < step.span; ++i) {
        terms_.clear();
        for (const Operand& operand : lane.sources(step)) {
            ExpressionId value = kUndefined;
            XCCL_TRY(read(walker, operand, step, i, &value));
            terms_.push_back(value);
        }
        values_.push_back(proof_.expressions.combine_all(terms_));
    }
    return ok_status();
}

Status Machine::read(Walker& walker, const Operand& operand, const Step& step, std::uint32_t i,
                     ExpressionId* value) {
    if (operand.space == Space::kSlot) {
        *value = channels_[walker.incoming[operand.peer_index]].messages.front().values[i];
    } else if (operand.space == Space::kScratch) {
        *value = walker.scratch[operand.chunk + i];
    } else {
        *value = buffer(walker)[memories_[walker.rank].cell(operand.space, operand.chunk + i)];
    }
    if (*value != kUndefined) return ok_status();
    return wrong(walker, "reads chunk {}, which is undefined, in round {}", operand.chunk + i,
                 step.round);
}

ExpressionId Machine::stored(ExpressionId value, Space space) {
    const bool narrow = options_.rounding == Rounding::kEverywhere ||
                        (options_.rounding == Rounding::kAtOutput && space == Space::kOutput);
    return narrow ? proof_.expressions.rounded(value) : value;
}

void Machine::write(Walker& walker, const Lane& lane, const Step& step,
                    std::uint64_t length_class) {
    for (const Operand& operand : lane.destinations(step)) {
        if (operand.space == Space::kSlot) {
            SymbolicMessage message{operand.chunk, length_class, values_};
            for (ExpressionId& value : message.values) value = stored(value, operand.space);
            Channel& channel = channels_[walker.outgoing[operand.peer_index]];
            channel.messages.push_back(std::move(message));
            ++proof_.message_count;
            wake(channel);
            continue;
        }
        for (std::uint32_t i = 0; i < step.span; ++i) {
            const ExpressionId value = stored(values_[i], operand.space);
            if (operand.space == Space::kScratch) {
                walker.scratch[operand.chunk + i] = value;
            } else {
                buffer(walker)[memories_[walker.rank].cell(operand.space, operand.chunk + i)] =
                    value;
            }
        }
    }
}

void Machine::release(Walker& walker, const Lane& lane, const Step& step) {
    for (const Operand& operand : lane.sources(step)) {
        if (operand.space != Space::kSlot) continue;
        Channel& channel = channels_[walker.incoming[operand.peer_index]];
        channel.messages.erase(channel.messages.begin());
        wake(channel);
    }
}

void Machine::wake(Channel& channel) {
    if (channel.waiting_walker == kNobody) return;
    runnable_.push_back(channel.waiting_walker);
    channel.waiting_walker = kNobody;
}

Status Machine::all_done() const {
    for (const Walker& walker : walkers_) {
        if (walker.pass == options_.passes) continue;
        return wrong(walker, "deadlock: waits for {} {} for ever",
                     walker.missing_message ? "a message from" : "a free slot to",
                     ranks_[walker.rank].peers[walker.missing->peer_index]);
    }
    for (const auto& [key, index] : channel_index_) {
        if (channels_[index].messages.empty()) continue;
        return internal_error("a message from rank {} to rank {} on lane {} is left over",
                              key >> 32, key >> 8 & 0xffffff, key & 0xff);
    }
    return ok_status();
}

Status Machine::check_outputs() {
    const bool combining = is_combining(options_.contract);
    if (combining) proof_.results.assign(label_stride_, kUndefined);
    for (int pass = 0; combining && pass < options_.passes; ++pass) {
        for (std::uint32_t chunk = 0; chunk < label_stride_; ++chunk) {
            everybody_.push_back(proof_.expressions.of_all_ranks(label(pass, chunk)));
        }
    }
    for (int rank = 0; rank < static_cast<int>(ranks_.size()); ++rank) {
        for (int pass = 0; pass < options_.passes; ++pass) {
            const auto& cells = buffers_[static_cast<std::size_t>(rank) * options_.passes + pass];
            const std::uint32_t count = output_chunk_count(party(rank));
            for (std::uint32_t chunk = 0; chunk < count; ++chunk) {
                XCCL_TRY(check_output(rank, pass, chunk,
                                      cells[memories_[rank].cell(Space::kOutput, chunk)]));
            }
        }
    }
    return ok_status();
}

Status Machine::check_output(int rank, int pass, std::uint32_t chunk, ExpressionId value) {
    const Party owner = party(rank);
    if (value == kUndefined || !is_expected(owner, pass, chunk, value)) {
        return internal_error("rank {}: output chunk {} is {}", rank, chunk,
                              proof_.expressions.print(value));
    }
    if (pass != 0 || !is_combining(options_.contract)) return ok_status();
    const std::uint32_t work = work_of_output(owner, chunk);
    ExpressionId& result = proof_.results[work];
    if (result == kUndefined) {
        result = value;
        proof_.canonical &=
            value == proof_.expressions.canonical(label(0, work), options_.rounding);
    }
    if (result != value && options_.contract == Contract::kAllReduce) {
        return internal_error("rank {}: output chunk {} is combined as {}, elsewhere as {}", rank,
                              chunk, proof_.expressions.print(value),
                              proof_.expressions.print(result));
    }
    return ok_status();
}

bool Machine::is_expected(const Party& owner, int pass, std::uint32_t chunk, ExpressionId value) {
    ExpressionTable& table = proof_.expressions;
    const std::uint32_t here = label(pass, work_of_output(owner, chunk));
    switch (options_.contract) {
        case Contract::kAllReduce:
        case Contract::kReduce:
        case Contract::kReduceScatter:
            return table.contributions(value) == everybody_[here];
        case Contract::kBarrier:
            return table.covers_all_ranks(value);
        case Contract::kBroadcast:
        case Contract::kScatter:
            return value == table.leaf(options_.root, here);
        case Contract::kAllGather:
        case Contract::kGather:
            return value == table.leaf(static_cast<int>(chunk), here);
        case Contract::kAllToAll:
            return value == table.leaf(static_cast<int>(chunk),
                                       label(pass, static_cast<std::uint32_t>(owner.rank)));
    }
    return false;
}

// Copies work on different tiles over different connections: equal ones share one proof.
bool copies_are_equal(std::span<const Steps> ranks) {
    return std::all_of(ranks.begin(), ranks.end(), [](const Steps& steps) {
        for (std::size_t lane = steps.strand_count; lane < steps.lanes.size(); ++lane) {
            if (!(steps.lanes[lane] == steps.lanes[lane - steps.strand_count])) return false;
        }
        return true;
    });
}

// What all ranks must agree on, and bounds on the work.
Status check_together(std::span<const Steps> ranks, const VerifyOptions& options) {
    if (ranks.empty() || ranks.size() > kMaxRanks || options.passes < 1 || options.slot_count < 1 ||
        options.root < 0 || options.root >= static_cast<int>(ranks.size())) {
        return internal_error("verify: {} ranks, {} passes, {} slots, root {}", ranks.size(),
                              options.passes, options.slot_count, options.root);
    }
    const bool all_lanes = !copies_are_equal(ranks);
    std::uint64_t steps = 0;
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        const Steps& here = ranks[rank];
        const Steps& first = ranks[0];
        if (here.rank != static_cast<int>(rank) ||
            here.rank_count != static_cast<int>(ranks.size()) ||
            here.chunk_count != first.chunk_count || here.max_span != first.max_span ||
            here.strand_count != first.strand_count || here.strand_count < 1 ||
            here.lanes.size() != first.lanes.size() || here.lanes.size() < here.strand_count) {
            return internal_error("verify: rank {} does not fit in with rank 0", rank);
        }
        const std::size_t lanes = all_lanes ? here.lanes.size() : here.strand_count;
        for (std::size_t lane = 0; lane < lanes; ++lane) steps += here.lanes[lane].steps.size();
    }
    const bool needs_all =
        options.contract == Contract::kAllGather || options.contract == Contract::kReduceScatter ||
        options.contract == Contract::kAllToAll || options.contract == Contract::kGather ||
        options.contract == Contract::kScatter;
    if (needs_all && ranks[0].chunk_count != ranks.size()) {
        return internal_error("verify: {} chunks for {} ranks", ranks[0].chunk_count, ranks.size());
    }
    const std::uint64_t leaves =
        std::uint64_t{ranks[0].chunk_count} * ranks.size() * options.passes;
    if (steps * options.passes > kMaxVerifiedSteps || leaves >= std::uint64_t{1} << 31) {
        return internal_error("verify: {} steps are too many to prove in full", steps);
    }
    return ok_status();
}

}  // namespace

Result<Proof> verify(std::span<const Steps> ranks, const VerifyOptions& options) {
    XCCL_TRY(check_together(ranks, options));
    std::vector<MemoryMap> memories;
    for (const Steps& steps : ranks) {
        const Party party{options.contract, steps.rank, steps.rank_count, options.root,
                          steps.chunk_count};
        XCCL_TRY(check_steps(steps, party, options.in_place));
        memories.emplace_back(party, options.in_place, steps.scratch_chunk_count);
    }
    const std::uint32_t copies = copies_are_equal(ranks) ? 1 : ranks[0].copy_count();
    Proof proof;
    for (std::uint32_t copy = 0; copy < copies; ++copy) {
        proof.canonical = true;
        proof.expressions =
            ExpressionTable(static_cast<int>(ranks.size()), ranks[0].chunk_count * options.passes);
        Machine machine(ranks, options, memories, proof);
        XCCL_TRY(machine.run(copy));
        XCCL_TRY(machine.check_outputs());
    }
    return proof;
}

}  // namespace xccl
