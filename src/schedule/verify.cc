#include "schedule/verify.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "schedule/check_steps.h"
#include "schedule/contract.h"
#include "schedule/landings.h"
#include "schedule/message_pool.h"
#include "schedule/overwrites.h"
#include "schedule/value_window.h"

namespace xccl {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

// One lane of one rank, walking.
struct Walker {
    int rank = 0;
    std::uint32_t lane = 0;
    std::size_t step = 0;
    int pass = 0;
    std::vector<std::uint32_t> incoming;  // channel by peer index; kNone: the peer has none
    std::uint32_t first_outgoing = 0;     // channel of peer index 0; the others follow
    WindowValues scratch;
    // Where the input is read in place: what steps wait for before they overwrite their input.
    std::vector<Overwrite> overwrites;
    std::size_t next_overwrite = 0;
    std::vector<std::uint32_t> messages;  // by peer index: that it sends in a pass
    std::vector<Landing> landings;        // that it offers
    std::size_t next_landing = 0;
    const Operand* missing = nullptr;  // a message that is not there, or a slot that is not free
    bool missing_message = false;
};

class Machine {
  public:
    // Of one copy of the program's lanes.
    Machine(std::span<const Steps> ranks, const VerifyOptions& options, std::uint32_t copy,
            Proof& proof)
        : ranks_(ranks), options_(options), proof_(proof) {
        connect(copy);
    }

    // Runs all lanes, with the values of one window, and checks what they deliver.
    Status run(Window window);
    // Of one run: all are alike.
    std::uint64_t step_count() const { return step_count_; }
    std::uint64_t message_count() const { return message_count_; }

  private:
    Party party(int rank) const {
        return {options_.contract, rank, static_cast<int>(ranks_.size()), options_.root,
                ranks_[rank].chunk_count};
    }
    std::uint32_t label(int pass, std::uint32_t chunk) const {
        return static_cast<std::uint32_t>(pass) * label_stride_ + chunk;
    }
    WindowValues& buffers_of(int rank, int pass) {
        return buffers_[static_cast<std::size_t>(rank) * options_.passes + pass];
    }
    void start(Window window);
    Status check_outputs();
    void connect(std::uint32_t copy);
    Status nothing_left_over() const;
    Status advance(std::uint32_t index);
    void find_overwrites(Walker& walker, const Steps& steps) const;
    void offer_landing(Walker& walker, const Lane& lane, const Step& step);
    const Operand* unread(Walker& walker, const Lane& lane, std::uint32_t index);
    bool is_ready(Walker& walker, const Lane& lane, const Step& step, std::uint32_t index);
    Status take(Walker& walker, const Lane& lane, const Step& step);
    Status gather(Walker& walker, const Lane& lane, const Step& step);
    Status gather_part(Walker& walker, const Lane& lane, const Step& step, const Part& part);
    ExpressionId* values_at(Walker& walker, const Operand& operand, const Part& part);
    void find_parts(const Walker& walker, const Lane& lane, const Step& step);
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
    Proof& proof_;
    const std::uint32_t label_stride_ = ranks_[0].chunk_count;
    std::vector<Walker> walkers_;
    std::vector<Channel> channels_;
    MessagePool messages_;
    std::vector<std::uint32_t> runnable_;
    Window window_;
    std::vector<WindowValues> buffers_;  // [rank][pass]
    std::array<Part, 2> parts_;          // of the step that is being taken, its values and messages
    std::vector<ExpressionId> values_;
    std::vector<const ExpressionId*> sources_;
    std::vector<ExpressionId> terms_;
    std::vector<Contributions> everybody_;  // by label, in the window
    std::uint64_t step_count_ = 0;
    std::uint64_t message_count_ = 0;
};

// Nothing is known but the window's inputs, and all lanes stand before their first step. (Mailboxes
// are empty: a run that leaves messages over has failed.)
void Machine::start(Window window) {
    window_ = window;
    for (Channel& channel : channels_) channel.taken = 0;
    step_count_ = message_count_ = 0;
    proof_.expressions.forget_combinations();
    buffers_.clear();
    for (int rank = 0; rank < static_cast<int>(ranks_.size()); ++rank) {
        const Party owner = party(rank);
        const Window inputs = chunks_in_window(owner, Space::kInput, window_);
        for (int pass = 0; pass < options_.passes; ++pass) {
            WindowValues& values = buffers_.emplace_back(owner, window_, options_.in_place);
            for (std::uint32_t i = 0; i < inputs.count; ++i) {
                const std::uint32_t chunk = inputs.first + i;
                const std::uint32_t here = label(pass, work_of_input(owner, chunk));
                *values.at(Space::kInput, chunk, 0) = proof_.expressions.leaf(rank, here);
            }
        }
    }
    for (std::size_t index = 0; index < walkers_.size(); ++index) {
        Walker& walker = walkers_[index];
        walker.step = 0;
        walker.pass = 0;
        walker.next_overwrite = walker.next_landing = 0;
        walker.scratch = WindowValues::scratch(party(walker.rank), window_,
                                               ranks_[walker.rank].scratch_chunk_count);
        runnable_.push_back(static_cast<std::uint32_t>(index));
    }
}

// A channel for each strand and peer of each rank, written by that rank; read by the peer, if it
// knows this rank as one of its own.
void Machine::connect(std::uint32_t copy) {
    using Place = std::pair<std::uint16_t, std::uint32_t>;  // a peer, and its index
    std::vector<std::vector<Place>> places(ranks_.size());
    std::vector<std::uint32_t> first_channel;
    std::uint32_t count = 0;
    for (const Steps& steps : ranks_) {
        std::vector<Place>& here = places[steps.rank];
        for (std::size_t p = 0; p < steps.peers.size(); ++p) {
            here.emplace_back(steps.peers[p], static_cast<std::uint32_t>(p));
        }
        std::sort(here.begin(), here.end());
        first_channel.push_back(count);
        count += static_cast<std::uint32_t>(steps.peers.size()) * steps.strand_count;
    }
    channels_.resize(count);
    for (const Steps& steps : ranks_) {
        for (std::uint32_t strand = 0; strand < steps.strand_count; ++strand) {
            Walker& walker = walkers_.emplace_back();
            walker.rank = steps.rank;
            walker.lane = copy * steps.strand_count + strand;
            find_overwrites(walker, steps);
            if (options_.lands) walker.landings = landings_of(steps.lanes[walker.lane]);
            walker.first_outgoing =
                first_channel[steps.rank] + strand * static_cast<std::uint32_t>(steps.peers.size());
            for (std::uint16_t peer : steps.peers) {
                const std::vector<Place>& there = places[peer];
                const auto place =
                    std::lower_bound(there.begin(), there.end(), Place(steps.rank, 0));
                const bool known = place != there.end() && place->first == steps.rank;
                walker.incoming.push_back(
                    known ? first_channel[peer] +
                                strand * static_cast<std::uint32_t>(there.size()) + place->second
                          : kNone);
            }
        }
    }
}

Status Machine::run(Window window) {
    start(window);
    while (!runnable_.empty()) {
        const std::uint32_t index = runnable_.back();
        runnable_.pop_back();
        XCCL_TRY(advance(index));
    }
    XCCL_TRY(all_done());
    return check_outputs();
}

Status Machine::advance(std::uint32_t index) {
    Walker& walker = walkers_[index];
    const Lane& lane = ranks_[walker.rank].lanes[walker.lane];
    for (; walker.pass < options_.passes; ++walker.pass, walker.step = 0) {
        if (walker.step == 0) walker.next_overwrite = walker.next_landing = 0;
        for (; walker.step < lane.steps.size(); ++walker.step) {
            const Step& step = lane.steps[walker.step];
            if (!is_ready(walker, lane, step, index)) return ok_status();
            XCCL_TRY(take(walker, lane, step));
            ++step_count_;
        }
        walker.scratch.forget();
    }
    return ok_status();
}

bool Machine::is_ready(Walker& walker, const Lane& lane, const Step& step, std::uint32_t index) {
    walker.missing = nullptr;
    for (const Operand& operand : lane.sources(step)) {
        if (operand.space != Space::kSlot) continue;
        const std::uint32_t incoming = walker.incoming[operand.peer_index];
        if (incoming != kNone && channels_[incoming].count > 0) continue;
        if (incoming != kNone) channels_[incoming].waiting_walker = index;
        walker.missing = &operand;
        walker.missing_message = true;
        return false;
    }
    for (const Operand& operand : lane.destinations(step)) {
        if (operand.space != Space::kSlot) continue;
        Channel& channel = channels_[walker.first_outgoing + operand.peer_index];
        if (channel.count < options_.slot_count) continue;
        channel.waiting_walker = index;
        walker.missing = &operand;
        walker.missing_message = false;
        return false;
    }
    walker.missing = unread(walker, lane, index);
    return walker.missing == nullptr;
}

// A message that is not read yet, of what this step is about to overwrite in the input.
const Operand* Machine::unread(Walker& walker, const Lane& lane, std::uint32_t index) {
    for (; walker.next_overwrite < walker.overwrites.size(); ++walker.next_overwrite) {
        const Overwrite& overwrite = walker.overwrites[walker.next_overwrite];
        if (overwrite.step != walker.step) break;
        Channel& channel = channels_[walker.first_outgoing + overwrite.peer_index];
        const std::uint32_t before =
            static_cast<std::uint32_t>(walker.pass) * walker.messages[overwrite.peer_index];
        if (channel.taken >= before + overwrite.message) continue;
        channel.waiting_walker = index;
        walker.missing_message = false;
        for (const Operand& operand : lane.operands) {
            if (operand.space == Space::kSlot && operand.peer_index == overwrite.peer_index) {
                return &operand;
            }
        }
    }
    return nullptr;
}

void Machine::find_overwrites(Walker& walker, const Steps& steps) const {
    if (!options_.read_in_place) return;
    const Lane& lane = steps.lanes[walker.lane];
    walker.overwrites = overwrites_of(lane);
    walker.messages.resize(steps.peers.size());
    for (const Step& step : lane.steps) {
        for (const Operand& operand : lane.destinations(step)) {
            if (operand.space == Space::kSlot) ++walker.messages[operand.peer_index];
        }
    }
}

Status Machine::take(Walker& walker, const Lane& lane, const Step& step) {
    const std::uint64_t length_class = length_class_of(walker, lane, step);
    for (const Operand& operand : lane.sources(step)) {
        if (operand.space != Space::kSlot) continue;
        const SymbolicMessage& message =
            messages_.oldest(channels_[walker.incoming[operand.peer_index]]);
        if (message.chunk != operand.chunk || message.span != step.span ||
            message.length_class != length_class) {
            return wrong(walker, "expects chunks {} + {} of {}, gets {} + {}", operand.chunk,
                         step.span, ranks_[walker.rank].peers[operand.peer_index], message.chunk,
                         message.span);
        }
    }
    XCCL_TRY(gather(walker, lane, step));
    write(walker, lane, step, length_class);
    release(walker, lane, step);
    offer_landing(walker, lane, step);
    return ok_status();
}

// What the peer may write from now on is nothing that anybody may read, until the answer is there.
void Machine::offer_landing(Walker& walker, const Lane& lane, const Step& step) {
    if (walker.next_landing == walker.landings.size() ||
        walker.landings[walker.next_landing].sent != walker.step) {
        return;
    }
    ++walker.next_landing;
    const Operand landing{.space = Space::kOutput, .chunk = lane.sources(step)[0].chunk};
    for (const Part& part : parts_) {
        if (part.length == 0) continue;
        ExpressionId* const values = values_at(walker, landing, part);
        std::fill(values, values + part.length, kUndefined);
    }
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

// All sources are read before anything is written.
Status Machine::gather(Walker& walker, const Lane& lane, const Step& step) {
    values_.clear();
    find_parts(walker, lane, step);
    for (const Part& part : parts_) {
        if (part.length > 0) XCCL_TRY(gather_part(walker, lane, step, part));
    }
    return ok_status();
}

// Of a step's first operand: all are alike. An all_to_all moves single chunks, in one window.
void Machine::find_parts(const Walker& walker, const Lane& lane, const Step& step) {
    if (options_.contract == Contract::kAllToAll) {
        parts_ = {Part{0, 1}, Part{}};
        return;
    }
    const auto chunk = static_cast<std::uint32_t>(length_class_of(walker, lane, step));
    parts_ = parts_of_span(window_, chunk, step.span, label_stride_);
}

Status Machine::gather_part(Walker& walker, const Lane& lane, const Step& step, const Part& part) {
    sources_.clear();
    for (const Operand& operand : lane.sources(step)) {
        const ExpressionId* const values = values_at(walker, operand, part);
        const auto* const undefined = std::find(values, values + part.length, kUndefined);
        if (undefined != values + part.length) {
            return wrong(walker, "reads chunk {}, which is undefined, in round {}",
                         operand.chunk + part.offset + (undefined - values), step.round);
        }
        sources_.push_back(values);
    }
    if (sources_.size() == 1) {
        values_.insert(values_.end(), sources_[0], sources_[0] + part.length);
        return ok_status();
    }
    for (std::uint32_t i = 0; i < part.length; ++i) {
        terms_.clear();
        for (const ExpressionId* values : sources_) terms_.push_back(values[i]);
        values_.push_back(proof_.expressions.combine_all(terms_));
    }
    return ok_status();
}

// Of a message, this part's values follow those of the part before.
ExpressionId* Machine::values_at(Walker& walker, const Operand& operand, const Part& part) {
    if (operand.space == Space::kSlot) {
        const std::size_t before = &part == &parts_[0] ? 0 : parts_[0].length;
        return messages_.oldest(channels_[walker.incoming[operand.peer_index]]).values() + before;
    }
    WindowValues& memory =
        operand.space == Space::kScratch ? walker.scratch : buffers_of(walker.rank, walker.pass);
    return memory.at(operand.space, operand.chunk, part.offset);
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
            Channel& channel = channels_[walker.first_outgoing + operand.peer_index];
            SymbolicMessage& message = messages_.add(channel);
            message.chunk = operand.chunk;
            message.span = step.span;
            message.length_class = length_class;
            if (values_.size() > 1) {
                message.several = std::make_unique<ExpressionId[]>(values_.size());
            }
            std::transform(values_.begin(), values_.end(), message.values(),
                           [&](ExpressionId value) { return stored(value, operand.space); });
            ++message_count_;
            wake(channel);
            continue;
        }
        const ExpressionId* next = values_.data();
        for (const Part& part : parts_) {
            if (part.length == 0) continue;
            ExpressionId* const to = values_at(walker, operand, part);
            for (std::uint32_t i = 0; i < part.length; ++i) to[i] = stored(*next++, operand.space);
        }
    }
}

void Machine::release(Walker& walker, const Lane& lane, const Step& step) {
    for (const Operand& operand : lane.sources(step)) {
        if (operand.space != Space::kSlot) continue;
        Channel& channel = channels_[walker.incoming[operand.peer_index]];
        messages_.remove_oldest(channel);
        ++channel.taken;
        wake(channel);
    }
}

void Machine::wake(Channel& channel) {
    if (channel.waiting_walker == kNone) return;
    runnable_.push_back(channel.waiting_walker);
    channel.waiting_walker = kNone;
}

Status Machine::all_done() const {
    for (const Walker& walker : walkers_) {
        if (walker.pass == options_.passes) continue;
        return wrong(walker, "deadlock: waits for {} {} for ever",
                     walker.missing_message ? "a message from" : "a free slot to",
                     ranks_[walker.rank].peers[walker.missing->peer_index]);
    }
    return nothing_left_over();
}

Status Machine::nothing_left_over() const {
    for (const Walker& walker : walkers_) {
        const std::vector<std::uint16_t>& peers = ranks_[walker.rank].peers;
        for (std::size_t p = 0; p < peers.size(); ++p) {
            if (channels_[walker.first_outgoing + p].count == 0) continue;
            return internal_error("a message from rank {} to rank {} on lane {} is left over",
                                  walker.rank, peers[p], walker.lane);
        }
    }
    return ok_status();
}

Status Machine::check_outputs() {
    everybody_.resize(std::size_t{label_stride_} * options_.passes);
    for (int pass = 0; is_combining(options_.contract) && pass < options_.passes; ++pass) {
        for (std::uint32_t i = 0; i < window_.count; ++i) {
            const std::uint32_t here = label(pass, window_.first + i);
            everybody_[here] = proof_.expressions.of_all_ranks(here);
        }
    }
    for (int rank = 0; rank < static_cast<int>(ranks_.size()); ++rank) {
        const Window outputs = chunks_in_window(party(rank), Space::kOutput, window_);
        for (int pass = 0; pass < options_.passes; ++pass) {
            WindowValues& values = buffers_of(rank, pass);
            for (std::uint32_t i = 0; i < outputs.count; ++i) {
                const std::uint32_t chunk = outputs.first + i;
                XCCL_TRY(check_output(rank, pass, chunk, *values.at(Space::kOutput, chunk, 0)));
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
        proof_.canonical = proof_.canonical &&
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
    if (steps * options.passes > options.max_steps || leaves >= std::uint64_t{1} << 31) {
        return internal_error("verify: {} steps are too many to prove in full", steps);
    }
    return ok_status();
}

}  // namespace

Result<Proof> verify(std::span<const Steps> ranks, const VerifyOptions& options) {
    XCCL_TRY(check_together(ranks, options));
    for (const Steps& steps : ranks) {
        const Party party{options.contract, steps.rank, steps.rank_count, options.root,
                          steps.chunk_count};
        XCCL_TRY(check_steps(steps, party, options.in_place));
    }
    const std::uint32_t copies = copies_are_equal(ranks) ? 1 : ranks[0].copy_count();
    const std::uint32_t chunk_count = ranks[0].chunk_count;
    const std::uint64_t values_of_a_chunk = ranks.size() * static_cast<unsigned>(options.passes);
    const bool whole = options.contract == Contract::kAllToAll;
    const auto windows =
        windows_of(chunk_count, values_of_a_chunk, whole ? UINT64_MAX : options.window_values);
    Proof proof;
    proof.expressions =
        ExpressionTable(static_cast<int>(ranks.size()), chunk_count * options.passes);
    for (std::uint32_t copy = 0; copy < copies; ++copy) {
        proof.results.assign(is_combining(options.contract) ? chunk_count : 0, kUndefined);
        Machine machine(ranks, options, copy, proof);
        for (const Window& window : windows) XCCL_TRY(machine.run(window));
        proof.step_count += machine.step_count();
        proof.message_count += machine.message_count();
    }
    if (windows.size() > 1) proof.results.clear();
    return proof;
}

}  // namespace xccl
