#include "simulator/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/datatypes.h"

namespace xccl::simulator {
namespace {

constexpr std::size_t kMostComplaints = 8;
constexpr std::uint64_t kMostEvents = 20'000'000;  // of a life; none comes near
constexpr Time kPatience = 100'000'000;            // before a rank looks for mismatches

Topology topology_of(const Scenario& scenario) {
    std::vector<int> cpus(static_cast<std::size_t>(scenario.cores));
    for (std::size_t cpu = 0; cpu < cpus.size(); ++cpu) cpus[cpu] = static_cast<int>(cpu);
    std::vector<RankInfo> infos;
    for (int rank = 0; rank < scenario.rank_count(); ++rank) {
        const int host = scenario.host_of[static_cast<std::size_t>(rank)];
        infos.push_back({fmt::format("host{}", host), std::to_string(rank), cpu_mask_of(cpus), 0});
    }
    return make_topology(infos).value();
}

int host_count_of(const Scenario& scenario) {
    return 1 + *std::max_element(scenario.host_of.begin(), scenario.host_of.end());
}

xcclResult_t code_of(FaultKind kind) {
    switch (kind) {
        case FaultKind::kMismatch:
            return xcclInvalidUsage;
        case FaultKind::kHang:
            return xcclTimeout;
        default:
            return xcclRemoteError;
    }
}

bool sends_messages(const Operation& operation) {
    if (operation.coll == xcclCollSendRecv) return false;  // none that tell of collectives
    return operation.count > 0 || operation.coll == xcclCollBarrier;
}

// Messages tell of all calls so far. Where none follows, nothing is wrong with anybody's result.
bool must_be_noticed(const Life& life, const Fault& mismatch) {
    const auto call = life.operations.begin() + static_cast<std::ptrdiff_t>(mismatch.call);
    // Two roots that only send, and ranks that only listen to one of them, notice with the next
    // call.
    const bool tells = mismatch.instead.root == call->root;
    return (tells && sends_messages(mismatch.instead)) ||
           std::any_of(tells ? call : call + 1, life.operations.end(), sends_messages);
}

}  // namespace

World::World(const Scenario* scenario, bool traces)
    : scenario_(*scenario),
      traces_(traces),
      random_(scenario->seed ^ 0x5eed),
      network_(&events_, &random_, scenario->geometry, scenario->host_of, scenario->conditions,
               scenario->start),
      agreement_(&events_, &random_, host_count_of(*scenario)),
      programs_(topology_of(*scenario), scenario->geometry, scenario->algorithms, scenario->lanes) {
    network_.wake = [this](int rank) { wake(rank); };
    network_.complain = [this](const std::string& text) { complain(text); };
    network_.observe = [this](const Network::Happening& happening) { observe(happening); };
    agreement_.wake = [this](int host) {
        for (int rank = 0; rank < scenario_.rank_count(); ++rank) {
            if (scenario_.host_of[static_cast<std::size_t>(rank)] == host) wake(rank);
        }
    };
    surroundings_ = {.scenario = &scenario_,
                     .life = nullptr,
                     .events = &events_,
                     .random = &random_,
                     .network = &network_,
                     .programs = &programs_,
                     .agreement = &agreement_,
                     .boards = &boards_,
                     .complain =
                         [this](int rank, const std::string& text) {
                             complain(fmt::format("rank {}: {}", rank, text));
                         },
                     .note = [this](int rank, const char* what,
                                    std::uint64_t number) { note(rank, what, number); },
                     .combined = [this](std::size_t call) -> const std::vector<std::byte>& {
                         return combined(call);
                     }};
}

World::~World() = default;

Report World::run() {
    for (std::size_t life = 0; life < scenario_.lives.size() && report_.ok(); ++life) {
        begin_life(life);
        run_life();
        end_life();
    }
    report_.event_count = events_.happened();
    report_.message_count = network_.messages_delivered();
    report_.reference_count = network_.references_taken();
    report_.placed_count = network_.messages_placed();
    return report_;
}

// ---- A life ---------------------------------------------------------------------------------

void World::begin_life(std::size_t index) {
    life_index_ = index;
    life_ = &scenario_.lives[index];
    surroundings_.life = life_;
    struck_.clear();
    combined_.assign(life_->operations.size(), {});
    combined_known_.assign(life_->operations.size(), false);
    const auto n = static_cast<std::size_t>(scenario_.rank_count());
    boards_ = std::vector<OperationBoard>(n);
    slots_.clear();
    slots_.resize(n);
    const auto epoch = static_cast<std::uint8_t>(scenario_.first_epoch + index);
    for (int rank = 0; rank < scenario_.rank_count(); ++rank) {
        slots_[rank].rank = std::make_unique<Rank>(&surroundings_, rank, epoch);
        plan_turn(rank, random_.below(20'000));
    }
    for (const Fault& fault : life_->faults) plan_fault(fault);
}

void World::run_life() {
    const std::uint64_t limit = events_.happened() + kMostEvents;
    while (report_.ok()) {
        if (events_.empty()) {
            if (!anybody_running()) return;
            if (!help_those_who_wait()) return complain_of_hang();
        }
        if (events_.happened() > limit) return complain("there is no end to it");
        if (!events_.empty()) events_.step();
    }
}

void World::end_life() {
    if (report_.ok()) check_outcome();
    for (const Slot& slot : slots_) slot.rank->check_silence();
    for (const Fault* fault : struck_) ++report_.faults_struck[static_cast<int>(fault->kind)];
    events_.clear();
    slots_.clear();
    network_.restart();
    agreement_.restart();
}

bool World::anybody_running() const {
    return std::any_of(slots_.begin(), slots_.end(),
                       [](const Slot& slot) { return slot.rank->running(); });
}

// ---- Turns ----------------------------------------------------------------------------------

void World::plan_turn(int rank, Time delay) {
    Slot& slot = slots_[rank];
    if (slot.turn_planned) return;
    slot.turn_planned = true;
    events_.after(delay, [this, rank] { take_turn(rank); });
}

void World::wake(int rank) {
    Slot& slot = slots_[rank];
    if (slot.asleep && slot.rank->running()) plan_turn(rank, random_.between(100, 20'000));
}

// Runs, spins a little, and sleeps.
void World::take_turn(int rank) {
    Slot& slot = slots_[rank];
    slot.turn_planned = false;
    if (!slot.rank->running()) return;
    if (slot.rank->computes_until() > events_.now()) {
        return plan_turn(rank, slot.rank->computes_until() - events_.now());
    }
    if (slot.asleep) network_.wake_up(rank);
    slot.asleep = false;
    const bool moved = slot.rank->turn(random_.chance(0.5));
    network_.after_turn(rank);
    note(rank, moved ? "moves" : "looks", 0);
    if (!slot.rank->running()) return;
    if (moved) {
        slot.spins_left = random_.index(3);
        return plan_turn(rank, random_.between(20, 400));
    }
    if (slot.spins_left-- > 0) return plan_turn(rank, random_.between(50, 500));
    go_to_sleep(rank);
}

void World::go_to_sleep(int rank) {
    Slot& slot = slots_[rank];
    network_.fall_asleep(rank);
    const bool moved = slot.rank->turn(true);
    if (moved || !slot.rank->running()) {
        network_.wake_up(rank);
        network_.after_turn(rank);
        if (slot.rank->running()) plan_turn(rank, random_.between(20, 400));
        return;
    }
    note(rank, "sleeps", 0);
    slot.asleep = true;
}

// Nothing moves by itself any more. What ranks do that have waited long: true if it helps anybody.
bool World::help_those_who_wait() {
    events_.after(kPatience, [] {});
    events_.step();
    bool helped = false;
    for (int rank = 0; rank < scenario_.rank_count(); ++rank) {
        Rank& waiting = *slots_[rank].rank;
        if (waiting.running() && waiting.look_for_mismatch()) helped = true;
    }
    for (int rank = 0; rank < scenario_.rank_count() && !helped && scenario_.deadline; ++rank) {
        if (slots_[rank].rank->running()) slots_[rank].rank->time_out();
    }
    for (int rank = 0; rank < scenario_.rank_count(); ++rank) {
        const Rank& waiting = *slots_[rank].rank;
        if (waiting.running() && !waiting.failure().ok()) {
            helped = true;
            wake(rank);
        }
    }
    return helped;
}

void World::complain_of_hang() {
    complain("nothing moves any more, and it is not over");
    for (const Slot& slot : slots_) {
        if (slot.rank->running()) complain(slot.rank->what_it_waits_for());
    }
}

// ---- Faults ---------------------------------------------------------------------------------

void World::plan_fault(const Fault& fault) {
    if (fault.kind == FaultKind::kMismatch) return mismatch(fault);
    events_.after(fault.at, [this, &fault] {
        if (slots_[fault.rank].rank->running()) strike(fault);
    });
}

void World::mismatch(const Fault& fault) {
    struck_.push_back(&fault);
    slots_[fault.rank].rank->call_instead(fault.call, &fault.instead);
    for (const Slot& slot : slots_) slot.rank->mistrust_from(fault.call);
}

void World::strike(const Fault& fault) {
    struck_.push_back(&fault);
    note(fault.rank, fault_name(fault.kind), static_cast<std::uint64_t>(fault.peer));
    Rank& rank = *slots_[fault.rank].rank;
    switch (fault.kind) {
        case FaultKind::kStall:
            return network_.stall(fault.rank, fault.peer, events_.now() + fault.duration);
        case FaultKind::kPause:
            return rank.compute_until(events_.now() + fault.duration);
        case FaultKind::kCut:
            return cut(fault);
        case FaultKind::kKill:
            return kill(fault);
        case FaultKind::kAbort:
            rank.abort();
            return wake(fault.rank);
        case FaultKind::kHang:
            return rank.hang();
        default:
            return;
    }
}

// Tells a rank, if it has not finished by then, of a loss.
void World::plan_loss(int rank, Time longest_delay, const Status& loss) {
    events_.after(random_.below(longest_delay), [this, rank, loss] {
        if (!slots_[rank].rank->running()) return;
        slots_[rank].rank->lose(loss);
        wake(rank);
    });
}

void World::cut(const Fault& fault) {
    network_.cut(fault.rank, fault.peer);
    const Status loss =
        remote_error("the connection of {} and {} broke", name_of(fault.rank), name_of(fault.peer));
    plan_loss(fault.rank, 5'000'000, loss);
    plan_loss(fault.peer, 5'000'000, loss);
}

void World::kill(const Fault& fault) {
    const Status death = remote_error("{} died; start the job again", name_of(fault.rank));
    network_.kill(fault.rank);
    slots_[fault.rank].rank->kill();
    // On its own host the kernel tells; elsewhere connections break, those to the arbiter too.
    const int host = scenario_.host_of[static_cast<std::size_t>(fault.rank)];
    for (int rank = 0; rank < scenario_.rank_count(); ++rank) {
        const bool local = scenario_.host_of[static_cast<std::size_t>(rank)] == host;
        if (local && rank != fault.rank && random_.chance(0.3)) plan_loss(rank, 10'000'000, death);
    }
    for (const int peer : network_.remote_peers(fault.rank)) plan_loss(peer, 10'000'000, death);
    events_.after(10'000'000,
                  [this, death, rank = fault.rank] { agreement_.tell(0, death, rank); });
}

// ---- What must hold -------------------------------------------------------------------------

void World::check_outcome() {
    const auto& verdict = agreement_.verdict();
    for (int rank = 0; rank < scenario_.rank_count(); ++rank) {
        const Rank& one = *slots_[rank].rank;
        if (one.state() == Rank::State::kFailed && !verdict) {
            complain(fmt::format("rank {} failed alone: {}", rank, one.failure().text()));
        }
    }
    if (verdict) return check_verdict(*verdict);
    for (const Fault* fault : struck_) {
        if (fault->kind != FaultKind::kMismatch || !must_be_noticed(*life_, *fault)) continue;
        complain(fmt::format("nobody noticed that rank {} called {} as #{}", fault->rank,
                             fault->instead.text(), fault->call));
    }
}

// Is the error about something that happened?
void World::check_verdict(const Failure& verdict) {
    const bool explained = std::any_of(struck_.begin(), struck_.end(), [&](const Fault* fault) {
        if (!is_fatal(fault->kind) || verdict.code != code_of(fault->kind)) {
            // A rank that gives up says of itself that it misused the communicator.
            return false;
        }
        const bool names_culprit = verdict.text.find(name_of(fault->rank)) != std::string::npos;
        return fault->kind == FaultKind::kHang || names_culprit;
    });
    if (!explained) complain(fmt::format("an error out of nothing: {}", verdict.text));
    for (int rank = 0; rank < scenario_.rank_count(); ++rank) {
        const auto told = agreement_.look(scenario_.host_of[static_cast<std::size_t>(rank)]);
        if (!told || told->text != verdict.text || told->code != verdict.code) {
            complain(fmt::format("rank {} was told another error than the others", rank));
        }
    }
}

// ---- Notes ----------------------------------------------------------------------------------

void World::complain(const std::string& text) {
    if (traces_) fmt::print("{:>12} COMPLAINT {}\n", events_.now(), text);
    if (report_.complaints.size() < kMostComplaints) {
        report_.complaints.push_back(
            fmt::format("life {}, {} ns: {}", life_index_, events_.now(), text));
    }
}

void World::note(int rank, const char* what, std::uint64_t number) {
    add_to_hash(what, static_cast<std::uint64_t>(rank), number);
    if (what[0] == 'c' && what[1] == 'a') ++report_.operation_count;
    if (traces_) fmt::print("{:>12} rank {} {} {}\n", events_.now(), rank, what, number);
}

void World::observe(const Network::Happening& happening) {
    add_to_hash(
        happening.what,
        static_cast<std::uint64_t>(happening.from) << 32 | static_cast<std::uint32_t>(happening.to),
        static_cast<std::uint64_t>(happening.lane) << 32 | happening.sequence);
    if (traces_) {
        fmt::print("{:>12} {} {} -> {} lane {} sequence {}\n", events_.now(), happening.what,
                   happening.from, happening.to, happening.lane, happening.sequence);
    }
}

void World::add_to_hash(const char* what, std::uint64_t a, std::uint64_t b) {
    const std::uint64_t words[] = {events_.now(), static_cast<std::uint64_t>(what[0]), a, b};
    for (const std::uint64_t word : words) {
        report_.event_hash = (report_.event_hash ^ word) * 0x9e3779b97f4a7c15u;
        report_.event_hash ^= report_.event_hash >> 29;
    }
}

const std::vector<std::byte>& World::combined(std::size_t call) {
    const Operation& operation = life_->operations[call];
    if (!combined_known_[call] && operation.combines()) {
        const std::uint64_t elements = input_elements(operation, 0, scenario_.rank_count());
        combined_[call].resize(elements * element_bytes(operation.type));
        write_combined(operation, scenario_.rank_count(), 0, elements, combined_[call].data());
    }
    combined_known_[call] = true;
    return combined_[call];
}

std::string World::name_of(int rank) const {
    return fmt::format("rank {} on host{}", rank,
                       scenario_.host_of[static_cast<std::size_t>(rank)]);
}

}  // namespace xccl::simulator
