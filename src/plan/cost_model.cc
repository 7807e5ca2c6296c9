#include "plan/cost_model.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace xccl {
namespace {

CostLine& operator+=(CostLine& a, const CostLine& b) {
    a.fixed_us += b.fixed_us;
    a.us_per_byte += b.us_per_byte;
    return a;
}

CostLine operator+(CostLine a, const CostLine& b) {
    return a += b;
}

CostLine operator*(const CostLine& line, double factor) {
    return {line.fixed_us * factor, line.us_per_byte * factor};
}

// Above both lines, for every size.
CostLine dearer(const CostLine& a, const CostLine& b) {
    return {std::max(a.fixed_us, b.fixed_us), std::max(a.us_per_byte, b.us_per_byte)};
}

// What one rank does in one round.
struct RoundWork {
    bool active = false;
    CostLine work;
    CostLine wait;        // for the slowest message of the round
    double wire_out = 0;  // microseconds of its host's network per byte of a piece
    double wire_in = 0;
    void add(const RoundWork& other) {
        active |= other.active;
        work += other.work;
        wait = dearer(wait, other.wait);
        wire_out += other.wire_out;
        wire_in += other.wire_in;
    }
};

class Walk {
  public:
    Walk(const Steps& steps, const Topology& topology, const HostCosts& costs, Protocol protocol,
         bool spilled)
        : steps_(steps),
          topology_(topology),
          costs_(costs),
          protocol_(protocol),
          spilled_(spilled) {}

    std::vector<RoundWork> rounds() const {
        std::vector<RoundWork> rounds;
        for (std::uint32_t strand = 0; strand < steps_.strand_count; ++strand) {
            const Lane& lane = steps_.lanes[strand];
            for (const Step& step : lane.steps) {
                if (rounds.size() <= step.round) rounds.resize(step.round + 1);
                rounds[step.round].add(work_of(lane, step));
            }
        }
        return rounds;
    }

  private:
    const RoadCosts& road(const Operand& operand) const {
        const int peer = steps_.peers[operand.peer_index];
        if (topology_.link(steps_.rank, peer) == LinkClass::kTcp) {
            const std::vector<int>& machines = topology_.machine_of_rank;
            return machines[steps_.rank] == machines[peer] ? costs_.loopback : costs_.tcp;
        }
        return protocol_ == Protocol::kFlagged ? costs_.flagged : costs_.slotted;
    }

    RoundWork work_of(const Lane& lane, const Step& step) const {
        RoundWork round;
        round.active = true;
        const double span = step.span;
        // A core combines and stores while the lines of messages from its own host are on their
        // way to it: only the longer of the two counts.
        double own_us = (step.source_count - 1) * span * costs_.combine_us_per_byte;
        double lines_us = 0;
        round.work = {costs_.step_us, 0};
        const auto touch = [&](const Operand& operand, bool sent) {
            if (operand.space != Space::kSlot) {
                own_us += span * costs_.buffer_us_per_byte;
                return;
            }
            const RoadCosts& r = road(operand);
            const double us = span * (r.us_per_byte + (sent ? r.sent_us_per_byte : 0) +
                                      (spilled_ ? r.spilled_us_per_byte : 0));
            round.work.fixed_us += r.message_us;
            (is_shared(operand) ? lines_us : own_us) += us;
        };
        for (const Operand& source : lane.sources(step)) {
            touch(source, false);
            if (source.space != Space::kSlot) continue;
            const RoadCosts& from = road(source);
            round.wait = dearer(round.wait, {from.latency_us, span * from.wire_us_per_byte});
            round.wire_in += span * from.wire_us_per_byte;
        }
        bool in_outbox = false;
        for (const Operand& destination : lane.destinations(step)) {
            if (is_in_outbox(destination) && std::exchange(in_outbox, true)) {
                round.work.fixed_us += road(destination).message_us;
                continue;
            }
            touch(destination, true);
            if (destination.space != Space::kSlot) continue;
            round.wire_out += span * road(destination).wire_us_per_byte;
        }
        round.work.us_per_byte = std::max(own_us, lines_us);
        return round;
    }

    // Is it written once, however many ranks of this host get it? Or into lines that the step has
    // just read, which costs next to nothing beside fetching them.
    bool is_in_outbox(const Operand& operand) const {
        return protocol_ == Protocol::kSlotted && operand.space == Space::kSlot &&
               is_shared(operand);
    }

    bool is_shared(const Operand& operand) const {
        return topology_.link(steps_.rank, steps_.peers[operand.peer_index]) ==
               LinkClass::kSharedMemory;
    }

    const Steps& steps_;
    const Topology& topology_;
    const HostCosts& costs_;
    const Protocol protocol_;
    const bool spilled_;
};

// The profiled ranks of one machine or host, and how many ranks each of them stands for.
struct Group {
    std::size_t number = 0;             // of the machine or host
    std::vector<std::size_t> programs;  // indices
    double scale = 1;
};

std::vector<Group> groups_of(std::span<const Steps> programs, const std::vector<int>& group_of_rank,
                             const std::vector<std::vector<int>>& ranks_of_group) {
    std::map<std::size_t, std::vector<std::size_t>> programs_of_group;
    for (std::size_t i = 0; i < programs.size(); ++i) {
        programs_of_group[group_of_rank[programs[i].rank]].push_back(i);
    }
    std::vector<Group> groups;
    for (auto& [number, members] : programs_of_group) {
        const double scale = static_cast<double>(ranks_of_group[number].size()) /
                             static_cast<double>(members.size());
        groups.push_back({number, std::move(members), scale});
    }
    return groups;
}

// Who shares cores.
struct Machine {
    Group group;
    double cores = 1;  // at most one for each rank
    bool crowded = false;
};

std::vector<Machine> machines_of(std::span<const Steps> programs, const Topology& topology) {
    std::vector<Machine> machines;
    for (Group& group : groups_of(programs, topology.machine_of_rank, topology.ranks_of_machine)) {
        const double ranks = static_cast<double>(topology.ranks_of_machine[group.number].size());
        const int cores = topology.cores_of_machine[group.number];
        machines.push_back({.group = std::move(group),
                            .cores = cores > 0 ? std::min<double>(cores, ranks) : ranks,
                            .crowded = cores > 0 && ranks > cores});
    }
    return machines;
}

// What each program does in each round, and who shares what.
struct Table {
    std::vector<std::vector<RoundWork>> programs;
    std::size_t round_count = 0;
    std::vector<Machine> machines;
    std::vector<Group> hosts;  // a host has one network
    double switch_us = 0;

    RoundWork at(std::size_t program, std::size_t round) const {
        const std::vector<RoundWork>& rounds = programs[program];
        return round < rounds.size() ? rounds[round] : RoundWork{};
    }
};

// What the cores of a machine need for one round of all its ranks.
CostLine cores_need(const Table& table, const Machine& machine, std::size_t round,
                    double switch_us) {
    CostLine sum;
    for (std::size_t program : machine.group.programs) {
        const RoundWork r = table.at(program, round);
        sum += r.work;
        if (machine.crowded && r.active) sum.fixed_us += switch_us;
    }
    return sum * (machine.group.scale / machine.cores);
}

struct WireNeed {
    double out = 0;
    double in = 0;
    double larger() const { return std::max(out, in); }
};

WireNeed wire_needs(const Table& table, const Group& host, std::size_t round) {
    WireNeed need;
    for (std::size_t program : host.programs) {
        const RoundWork r = table.at(program, round);
        need.out += r.wire_out * host.scale;
        need.in += r.wire_in * host.scale;
    }
    return need;
}

// The dearest rank of each round, one after the other. Rounds in which no profiled rank acts cost
// as much as the dearest that was seen.
CostLine first_tile(const Table& table) {
    CostLine sum, dearest;
    int unseen = 0;
    for (std::size_t round = 0; round < table.round_count; ++round) {
        CostLine cost;
        bool seen = false;
        for (std::size_t program = 0; program < table.programs.size(); ++program) {
            const RoundWork r = table.at(program, round);
            seen |= r.active;
            cost = dearer(cost, r.work + r.wait);
        }
        for (const Machine& machine : table.machines) {
            cost = dearer(cost, cores_need(table, machine, round, table.switch_us));
        }
        for (const Group& host : table.hosts) {
            cost = dearer(cost, {0, wire_needs(table, host, round).larger()});
        }
        dearest = dearer(dearest, cost);
        unseen += !seen;
        sum += cost;
    }
    return sum + dearest * unseen;
}

TileCosts tile_costs(const Table& table) {
    TileCosts costs;
    costs.first = first_tile(table);
    for (const std::vector<RoundWork>& program : table.programs) {
        CostLine work, wait;
        for (const RoundWork& r : program) {
            work += r.work;
            wait += r.wait;
        }
        costs.busy = dearer(costs.busy, work);
        costs.own = dearer(costs.own, work + wait);
    }
    for (const Machine& machine : table.machines) {
        CostLine switching, working;
        for (std::size_t round = 0; round < table.round_count; ++round) {
            switching += cores_need(table, machine, round, table.switch_us);
            working += cores_need(table, machine, round, 0);
        }
        costs.own = dearer(costs.own, switching);
        costs.busy = dearer(costs.busy, working);
    }
    for (const Group& host : table.hosts) {
        WireNeed sum;
        for (std::size_t round = 0; round < table.round_count; ++round) {
            const WireNeed need = wire_needs(table, host, round);
            sum.out += need.out;
            sum.in += need.in;
        }
        costs.wire = dearer(costs.wire, {0, sum.larger()});
    }
    return costs;
}

Table table_of(const Program& program, const Topology& topology, const HostCosts& costs,
               Protocol protocol, bool spilled) {
    Table table;
    table.round_count = static_cast<std::size_t>(program.round_count);
    for (const Steps& steps : program.ranks) {
        table.programs.push_back(Walk(steps, topology, costs, protocol, spilled).rounds());
        table.round_count = std::max(table.round_count, table.programs.back().size());
    }
    table.machines = machines_of(program.ranks, topology);
    table.hosts = groups_of(program.ranks, topology.node_of_rank, topology.ranks_of_node);
    table.switch_us = costs.switch_us;
    return table;
}

// Pieces that the slots of the mailboxes hold which this rank adds to its machine's: as many slots
// of each as a tile has messages, since what is free again is used first (trays.h). Those that it
// writes (once, if they are the same for several ranks of its host), and, where the two ends share
// no memory, those that it reads.
double mailbox_pieces(const Steps& steps, const Topology& topology, std::uint32_t slot_count) {
    struct Messages {
        std::uint32_t count = 0;
        std::uint32_t most = 0;  // pieces in one
    };
    std::map<std::tuple<std::uint32_t, std::uint16_t, bool>, Messages> mailboxes;
    for (std::uint32_t strand = 0; strand < steps.strand_count; ++strand) {
        const Lane& lane = steps.lanes[strand];
        const auto is_mapped = [&](const Operand& operand) {
            return topology.link(steps.rank, steps.peers[operand.peer_index]) ==
                   LinkClass::kSharedMemory;
        };
        const auto add = [&](const Operand& operand, std::uint32_t span, bool written) {
            if (operand.space != Space::kSlot || (is_mapped(operand) && !written)) return;
            Messages& messages = mailboxes[{strand, operand.peer_index, written}];
            ++messages.count;
            messages.most = std::max(messages.most, span);
        };
        for (const Step& step : lane.steps) {
            for (const Operand& operand : lane.sources(step)) add(operand, step.span, false);
            bool in_outbox = false;
            for (const Operand& operand : lane.destinations(step)) {
                const bool mapped = operand.space == Space::kSlot && is_mapped(operand);
                if (!mapped || !std::exchange(in_outbox, true)) add(operand, step.span, true);
            }
        }
    }
    double sum = 0;
    for (const auto& [mailbox, messages] : mailboxes) {
        sum += static_cast<double>(std::min(messages.count, slot_count)) * messages.most;
    }
    return sum;
}

// Of the core that has most of them.
double mailbox_pieces_of_a_core(const Program& program, const Topology& topology,
                                const std::vector<Machine>& machines, std::uint32_t slot_count) {
    double most = 0;
    for (const Machine& machine : machines) {
        double sum = 0;
        for (std::size_t p : machine.group.programs) {
            sum += mailbox_pieces(program.ranks[p], topology, slot_count);
        }
        most = std::max(most, sum * (machine.group.scale / machine.cores));
    }
    return most;
}

double predict_us(const TileCosts& costs, const TileShape& shape, double piece_bytes, int copies) {
    const std::uint64_t tiles = shape.tile_count();
    const double first = std::max(costs.first.at(piece_bytes), costs.wire.at(piece_bytes));
    const auto turns = (tiles + static_cast<std::uint64_t>(copies) - 1) / copies;
    const double later = static_cast<double>(tiles - 1);
    const double steady =
        std::max({static_cast<double>(turns - 1) * costs.own.at(piece_bytes),
                  later * costs.busy.at(piece_bytes), later * costs.wire.at(piece_bytes)});
    return first + steady;
}

}  // namespace

const char* protocol_name(Protocol protocol) {
    return protocol == Protocol::kFlagged ? "flagged" : "slotted";
}

std::vector<int> ranks_to_profile(int rank_count, int root) {
    std::vector<int> ranks;
    if (rank_count <= kProfiledRanks) {
        for (int rank = 0; rank < rank_count; ++rank) ranks.push_back(rank);
        return ranks;
    }
    ranks = {0, rank_count - 1, root, (root + 1) % rank_count,
             (root + rank_count - 1) % rank_count};
    for (int i = 1; i <= kProfiledRanks - 5; ++i) {
        ranks.push_back(static_cast<int>(std::int64_t{rank_count} * i / (kProfiledRanks - 4)));
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    return ranks;
}

Profile profile_of(const Program& program, const Topology& topology, const HostCosts& costs,
                   Protocol protocol, std::uint32_t slot_count) {
    const Table cached = table_of(program, topology, costs, protocol, false);
    const Table spilled = table_of(program, topology, costs, protocol, true);
    Profile profile;
    profile.rounds = static_cast<int>(cached.round_count);
    profile.cached = tile_costs(cached);
    profile.spilled = tile_costs(spilled);
    profile.cache_per_byte =
        mailbox_pieces_of_a_core(program, topology, cached.machines, slot_count) /
        costs.cache_bytes;
    return profile;
}

double predict_us(const Profile& profile, const TileShape& shape, double wire_bytes, int copies) {
    if (shape.tile_count() == 0) return 0;
    const double piece_bytes = static_cast<double>(shape.largest_piece()) * wire_bytes;
    const double caches = profile.cache_per_byte * piece_bytes * copies;
    const double spilled = caches > 1 ? 1 - 1 / caches : 0;
    return (1 - spilled) * predict_us(profile.cached, shape, piece_bytes, copies) +
           spilled * predict_us(profile.spilled, shape, piece_bytes, copies);
}

Traffic traffic_of(const Steps& steps, const Topology& topology, const TileShape& shape,
                   std::uint64_t wire_bytes) {
    Traffic traffic;
    const auto count_message = [&](const Operand& message, std::uint32_t span) {
        std::uint64_t elements = 0;
        for (std::uint32_t i = 0; i < span; ++i) {
            elements += shape.chunk_elements(message.chunk + i);
        }
        traffic.sent_bytes += elements * wire_bytes;
        if (topology.link(steps.rank, steps.peers[message.peer_index]) == LinkClass::kTcp) {
            traffic.sent_between_hosts_bytes += elements * wire_bytes;
        }
    };
    for (std::uint32_t strand = 0; strand < steps.strand_count; ++strand) {
        const Lane& lane = steps.lanes[strand];
        for (const Step& step : lane.steps) {
            for (const Operand& destination : lane.destinations(step)) {
                if (destination.space == Space::kSlot) count_message(destination, step.span);
            }
        }
    }
    return traffic;
}

}  // namespace xccl
