#include "plan/cost_model.h"

#include <algorithm>

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
    Walk(const Steps& steps, const Topology& topology, const HostCosts& costs, Protocol protocol)
        : steps_(steps), topology_(topology), costs_(costs), protocol_(protocol) {}

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
        if (topology_.link(steps_.rank, steps_.peers[operand.peer_index]) == LinkClass::kTcp) {
            return costs_.tcp;
        }
        return protocol_ == Protocol::kFlagged ? costs_.flagged : costs_.slotted;
    }

    RoundWork work_of(const Lane& lane, const Step& step) const {
        RoundWork round;
        round.active = true;
        const double span = step.span;
        round.work = {costs_.step_us, (step.source_count - 1) * span * costs_.combine_us_per_byte};
        for (const Operand& source : lane.sources(step)) {
            touch(source, span, &round);
            if (source.space != Space::kSlot) continue;
            const RoadCosts& from = road(source);
            round.wait = dearer(round.wait, {from.latency_us, span * from.wire_us_per_byte});
            round.wire_in += span * from.wire_us_per_byte;
        }
        for (const Operand& destination : lane.destinations(step)) {
            touch(destination, span, &round);
            if (destination.space != Space::kSlot) continue;
            round.wire_out += span * road(destination).wire_us_per_byte;
        }
        return round;
    }

    void touch(const Operand& operand, double span, RoundWork* round) const {
        if (operand.space == Space::kSlot) {
            const RoadCosts& r = road(operand);
            round->work += CostLine{r.message_us, span * r.us_per_byte};
        } else {
            round->work += CostLine{0, span * costs_.buffer_us_per_byte};
        }
    }

    const Steps& steps_;
    const Topology& topology_;
    const HostCosts& costs_;
    const Protocol protocol_;
};

// What the profiled ranks of one host do together, scaled up to all its ranks.
struct NodeShare {
    std::vector<std::size_t> programs;  // indices
    double scale = 1;                   // ranks per profiled rank
    double cores = 1;
    bool crowded = false;
};

std::vector<NodeShare> node_shares(std::span<const Steps> programs, const Topology& topology) {
    std::vector<NodeShare> nodes(topology.ranks_of_node.size());
    for (std::size_t i = 0; i < programs.size(); ++i) {
        nodes[topology.node_of_rank[programs[i].rank]].programs.push_back(i);
    }
    for (std::size_t n = 0; n < nodes.size(); ++n) {
        const double ranks = static_cast<double>(topology.ranks_of_node[n].size());
        const int cores = topology.cores_of_node[n];
        nodes[n].cores = cores > 0 ? cores : ranks;
        nodes[n].crowded = ranks > nodes[n].cores;
        if (!nodes[n].programs.empty()) {
            nodes[n].scale = ranks / static_cast<double>(nodes[n].programs.size());
        }
    }
    return nodes;
}

using Table = std::vector<std::vector<RoundWork>>;  // [program][round]

RoundWork at(const Table& table, std::size_t program, std::size_t round) {
    return round < table[program].size() ? table[program][round] : RoundWork{};
}

// What the host's cores, and its network, need for one round of all its ranks.
struct NodeRound {
    CostLine cores;
    double wire_out = 0;
    double wire_in = 0;
};

NodeRound node_round(const Table& table, const NodeShare& node, std::size_t round,
                     double switch_us) {
    CostLine cores;
    double out = 0, in = 0;
    for (std::size_t program : node.programs) {
        const RoundWork r = at(table, program, round);
        cores += r.work;
        if (node.crowded && r.active) cores.fixed_us += switch_us;
        out += r.wire_out;
        in += r.wire_in;
    }
    return {cores * (node.scale / node.cores), out * node.scale, in * node.scale};
}

// The dearest rank of each round, one after the other. Rounds in which no profiled rank acts cost
// as much as the dearest that was seen.
CostLine first_tile(const Table& table, const std::vector<NodeShare>& nodes, std::size_t rounds,
                    double switch_us) {
    CostLine sum, dearest;
    int unseen = 0;
    for (std::size_t round = 0; round < rounds; ++round) {
        CostLine cost;
        bool seen = false;
        for (std::size_t program = 0; program < table.size(); ++program) {
            const RoundWork r = at(table, program, round);
            seen |= r.active;
            cost = dearer(cost, r.work + r.wait);
        }
        for (const NodeShare& node : nodes) {
            const NodeRound r = node_round(table, node, round, switch_us);
            cost = dearer(cost, dearer(r.cores, {0, std::max(r.wire_out, r.wire_in)}));
        }
        dearest = dearer(dearest, cost);
        unseen += !seen;
        sum += cost;
    }
    return sum + dearest * unseen;
}

void add_steady_state(const Table& table, const std::vector<NodeShare>& nodes, std::size_t rounds,
                      double switch_us, Profile* profile) {
    for (const std::vector<RoundWork>& program : table) {
        CostLine work, wait;
        for (const RoundWork& r : program) {
            work += r.work;
            wait += r.wait;
        }
        profile->busy = dearer(profile->busy, work);
        profile->own = dearer(profile->own, work + wait);
    }
    for (const NodeShare& node : nodes) {
        CostLine switching, working;
        double out = 0, in = 0;
        for (std::size_t round = 0; round < rounds; ++round) {
            const NodeRound r = node_round(table, node, round, switch_us);
            switching += r.cores;
            working += node_round(table, node, round, 0).cores;
            out += r.wire_out;
            in += r.wire_in;
        }
        profile->own = dearer(profile->own, switching);
        profile->busy = dearer(profile->busy, working);
        profile->wire = dearer(profile->wire, {0, std::max(out, in)});
    }
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
                   Protocol protocol) {
    Table table;
    auto rounds = static_cast<std::size_t>(program.round_count);
    for (const Steps& steps : program.ranks) {
        table.push_back(Walk(steps, topology, costs, protocol).rounds());
        rounds = std::max(rounds, table.back().size());
    }
    const std::vector<NodeShare> nodes = node_shares(program.ranks, topology);
    Profile profile;
    profile.rounds = static_cast<int>(rounds);
    profile.first = first_tile(table, nodes, rounds, costs.switch_us);
    add_steady_state(table, nodes, rounds, costs.switch_us, &profile);
    return profile;
}

double predict_us(const Profile& profile, const TileShape& shape, double wire_bytes, int copies) {
    const std::uint64_t tiles = shape.tile_count();
    if (tiles == 0) return 0;
    const double piece_bytes = static_cast<double>(shape.largest_piece()) * wire_bytes;
    const double first = std::max(profile.first.at(piece_bytes), profile.wire.at(piece_bytes));
    const auto turns = (tiles + static_cast<std::uint64_t>(copies) - 1) / copies;
    const double later = static_cast<double>(tiles - 1);
    const double steady =
        std::max({static_cast<double>(turns - 1) * profile.own.at(piece_bytes),
                  later * profile.busy.at(piece_bytes), later * profile.wire.at(piece_bytes)});
    return first + steady;
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
