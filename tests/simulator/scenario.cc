#include "simulator/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/datatypes.h"

namespace xccl::simulator {
namespace {

enum class Scale { kSmall, kMedium, kLarge };

Scale scale_of(std::uint64_t seed) {
    const std::uint64_t place = seed % 50;
    if (place == 0) return Scale::kLarge;
    return place <= 17 ? Scale::kMedium : Scale::kSmall;
}

template <typename T, std::size_t kSize>
T pick(Random& random, const T (&choices)[kSize]) {
    return choices[random.below(kSize)];
}

int rank_count_of(Random& random, Scale scale) {
    if (scale == Scale::kLarge) return 1024;
    if (scale == Scale::kSmall) return static_cast<int>(random.between(2, 8));
    // Mostly in the lower half, where there is time for more.
    return static_cast<int>(8 + std::min(random.below(57), random.below(57)));
}

std::vector<int> place_ranks(Random& random, int n) {
    int hosts = 1 + random.index(std::min(n, 4));
    if (n <= 8 && random.chance(0.2)) hosts = n;
    if (n > 64) hosts = 1 << random.index(5);
    std::vector<int> host_of;
    const int style = n > 64 ? 0 : random.index(3);
    for (int rank = 0; rank < n; ++rank) {
        int host = rank * hosts / n;          // side by side
        if (style == 1) host = rank % hosts;  // in turn
        if (style == 2) host = rank < hosts ? rank : random.index(hosts);
        host_of.push_back(host);
    }
    return host_of;
}

LaneGeometry choose_geometry(Random& random, Scale scale) {
    constexpr std::uint32_t kFlaggedBytes[] = {128, 192, 256};
    constexpr std::uint32_t kSlottedBytes[] = {128, 192, 320, 576, 1152, 4224};
    LaneGeometry geometry;
    geometry.flagged_slot_bytes = pick(random, kFlaggedBytes);
    geometry.flagged_slot_count = 2u << random.below(3);
    geometry.slotted_slot_bytes = pick(random, kSlottedBytes);
    geometry.slotted_slot_count = 2u << random.below(2);
    geometry.flagged_lanes = 1 + random.index(2);
    geometry.slotted_lanes = 1 + random.index(4);
    if (scale == Scale::kLarge) {
        geometry.slotted_slot_bytes = 256;
        geometry.flagged_slot_count = geometry.slotted_slot_count = 2;
        geometry.slotted_lanes = geometry.flagged_lanes = 1;
    }
    return geometry;
}

NetworkConditions choose_conditions(Random& random) {
    constexpr Time kLongestStore[] = {20, 300, 5'000};
    constexpr Time kLongestDelay[] = {2'000, 20'000, 200'000};
    constexpr double kStallChance[] = {0, 0, 0.001, 0.01};
    NetworkConditions conditions;
    conditions.shortest_delay = random.between(100, 1'000);
    conditions.longest_delay = pick(random, kLongestDelay);
    conditions.longest_store = pick(random, kLongestStore);
    conditions.overtaking = random.chance(0.3);
    conditions.stall_chance = pick(random, kStallChance);
    return conditions;
}

// Names that the planner knows; what cannot be had is chosen as ever.
std::string choose_algorithms(Random& random, Scale scale) {
    constexpr const char* kNames[] = {
        "direct",           "ring",     "binomial",         "chain",    "hierarchical",
        "double_tree",      "bruck",    "halving_doubling", "pairwise", "circulant",
        "direct_two_phase", "doubling", "halving"};
    // Without quadratic numbers of connections, or of messages.
    if (scale == Scale::kLarge) return "binomial,bruck";
    if (random.chance(0.4)) return "";
    const std::string first = pick(random, kNames);
    return first + "," + pick(random, kNames);
}

// ---- Operations -----------------------------------------------------------------------------

xcclColl_t choose_collective(Random& random, Scale scale) {
    constexpr xcclColl_t kAll[] = {xcclCollAllReduce, xcclCollAllReduce,  xcclCollReduce,
                                   xcclCollBroadcast, xcclCollAllGather,  xcclCollReduceScatter,
                                   xcclCollAlltoAll,  xcclCollGather,     xcclCollScatter,
                                   xcclCollBarrier,   xcclCollAllGatherv, xcclCollReduceScatterv,
                                   xcclCollAlltoAllv, xcclCollSendRecv,   xcclCollSendRecv};
    // Those that never need a connection of each rank to each other.
    constexpr xcclColl_t kSparse[] = {xcclCollAllReduce, xcclCollReduce, xcclCollBroadcast,
                                      xcclCollBarrier,   xcclCollGather, xcclCollScatter,
                                      xcclCollSendRecv};
    return scale == Scale::kLarge ? pick(random, kSparse) : pick(random, kAll);
}

bool is_blockwise(const Operation& operation) {
    return operation.coll != xcclCollAllReduce && operation.coll != xcclCollReduce &&
           operation.coll != xcclCollBroadcast && operation.coll != xcclCollSendRecv;
}

// Elements: none, one, odd, around a slot, or many slots; no more than there is time for.
std::uint64_t choose_count(Random& random, const Operation& operation, const Scenario& scenario) {
    const auto n = static_cast<std::uint64_t>(scenario.rank_count());
    const std::uint64_t width = element_bytes(operation.type);
    const std::uint64_t slot = scenario.geometry.slotted_slot_bytes / width;
    std::uint64_t most = n <= 8 ? 64 * 1024 : n <= 64 ? 8 * 1024 : 256;
    most =
        std::max<std::uint64_t>(most / width / (is_blockwise(operation) ? n : 1), n > 64 ? 1 : 3);
    std::uint64_t count = 0;
    switch (random.below(8)) {
        case 0:
            count = random.below(3);
            break;
        case 1:
            count = 3 + 2 * random.below(50);
            break;
        case 2:
            count = slot - 2 + random.below(4);
            break;
        case 3:
            count = n - 1 + random.below(3);
            break;
        case 4:
        case 5:
            count = random.below(4 * slot + 1);
            break;
        default:
            count = random.below(most + 1);
    }
    return std::min(count, most);
}

void choose_transfers(Random& random, const Scenario& scenario, Operation* operation) {
    const int n = scenario.rank_count();
    const int limit = n > 64 ? 200 : 3 * n;
    const int transfers = 1 + random.index(limit);
    for (int i = 0; i < transfers; ++i) {
        operation->transfers.push_back(
            {random.index(n), random.index(n), choose_count(random, *operation, scenario)});
    }
}

Operation choose_operation(Random& random, const Scenario& scenario, Scale scale) {
    const int n = scenario.rank_count();
    Operation operation;
    operation.coll = choose_collective(random, scale);
    operation.type = static_cast<xcclDataType_t>(random.index(xcclNumTypes));
    operation.op = static_cast<xcclRedOp_t>(random.index(xcclNumOps));
    operation.premultiplied = operation.op == xcclSum && random.chance(0.25);
    operation.root = random.index(n);
    operation.salt = random.next();
    operation.in_place = random.chance(0.3);
    operation.reproducible = random.chance(0.15);
    if (!operation.combines()) {
        operation.op = xcclSum;
        operation.premultiplied = operation.reproducible = false;
    }
    if (operation.coll == xcclCollBarrier) {
        operation.type = xcclUint8;
        return operation;
    }
    if (operation.coll == xcclCollSendRecv) {
        choose_transfers(random, scenario, &operation);
        return operation;
    }
    operation.count = choose_count(random, operation, scenario);
    operation.gap = operation.is_vector() ? random.below(4) : 0;
    if (operation.coll == xcclCollAllGatherv || operation.coll == xcclCollReduceScatterv) {
        for (int rank = 0; rank < n; ++rank) {
            operation.counts.push_back(random.chance(0.2) ? 0 : random.below(operation.count + 1));
        }
        operation.counts[static_cast<std::size_t>(random.index(n))] = operation.count;
    }
    return operation;
}

void choose_operations(Random& random, const Scenario& scenario, Scale scale, Life* life) {
    std::uint64_t count = random.between(4, 12);
    if (scale == Scale::kMedium) count = random.between(3, 7);
    if (scale == Scale::kLarge) count = random.between(1, 2);
    while (life->operations.size() < count) {
        life->operations.push_back(choose_operation(random, scenario, scale));
        life->repeats.push_back(-1);
        const Operation& operation = life->operations.back();
        if (operation.coll == xcclCollSendRecv || scale == Scale::kLarge) continue;
        // The same again, as applications do: nobody waits for the slowest in a loop of broadcasts.
        const int original = static_cast<int>(life->operations.size()) - 1;
        for (std::uint64_t more = random.chance(0.25) ? random.between(1, 6) : 0; more > 0;
             --more) {
            Operation again = life->operations[static_cast<std::size_t>(original)];
            if (!again.is_vector()) again.salt = random.next();
            life->operations.push_back(std::move(again));
            life->repeats.push_back(original);
        }
    }
}

// ---- Faults ---------------------------------------------------------------------------------

FaultKind choose_kind(Random& random) {
    const std::uint64_t chance = random.below(100);
    if (chance < 35) return FaultKind::kNone;
    if (chance < 43) return FaultKind::kStall;
    if (chance < 51) return FaultKind::kPause;
    if (chance < 60) return FaultKind::kCut;
    if (chance < 76) return FaultKind::kKill;
    if (chance < 83) return FaultKind::kAbort;
    return chance < 94 ? FaultKind::kMismatch : FaultKind::kHang;
}

// Another operation than the rest calls. Empty if this one cannot be told from others.
bool alter(Random& random, int n, Operation* operation) {
    switch (random.below(4)) {
        case 0:
            if (operation->is_vector() || operation->coll == xcclCollBarrier) return false;
            operation->count += 1 + random.below(100);
            return true;
        case 1:
            if (operation->coll == xcclCollBarrier) return false;
            operation->type = operation->type == xcclInt32 ? xcclFloat32 : xcclInt32;
            return true;
        case 2:
            if (!operation->combines() || operation->premultiplied) return false;
            operation->op = operation->op == xcclMax ? xcclMin : xcclMax;
            return true;
        default:
            if (!operation->is_rooted()) return false;
            operation->root = (operation->root + 1) % n;
            return true;
    }
}

bool choose_mismatch(Random& random, const Life& life, int n, Fault* fault) {
    fault->call = random.below(life.operations.size());
    fault->instead = life.operations[fault->call];
    if (fault->instead.coll == xcclCollSendRecv) return false;
    fault->instead.in_place = false;
    return alter(random, n, &fault->instead);
}

void choose_faults(Random& random, Scenario* scenario, Life* life) {
    const int n = scenario->rank_count();
    for (int tries = 1 + random.index(3); tries > 0; --tries) {
        Fault fault;
        fault.kind = choose_kind(random);
        // From the first steps to beyond the end, as likely in each power of ten.
        fault.at = static_cast<Time>(
            std::pow(10.0, 2.5 + 4.0 * static_cast<double>(random.below(1000)) / 1000));
        fault.duration = random.between(10'000, 50'000'000);
        fault.rank = random.index(n);
        fault.peer = random.index(n);
        const bool remote = scenario->host_of[fault.rank] != scenario->host_of[fault.peer];
        if (fault.kind == FaultKind::kNone) return;
        if (fault.kind == FaultKind::kCut && !remote) continue;
        if (fault.kind == FaultKind::kStall && fault.rank == fault.peer) continue;
        if (fault.kind == FaultKind::kMismatch && !choose_mismatch(random, *life, n, &fault)) {
            continue;
        }
        if (fault.kind == FaultKind::kHang) scenario->deadline = true;
        life->faults.push_back(std::move(fault));
        if (is_fatal(life->faults.back().kind) && random.chance(0.8)) return;
    }
}

}  // namespace

const char* fault_name(FaultKind kind) {
    constexpr const char* kNames[] = {"none", "stall", "pause",    "cut",
                                      "kill", "abort", "mismatch", "hang"};
    static_assert(std::size(kNames) == kFaultKindCount);
    return kNames[static_cast<std::size_t>(kind)];
}

bool is_fatal(FaultKind kind) {
    return kind != FaultKind::kNone && kind != FaultKind::kStall && kind != FaultKind::kPause;
}

Scenario make_scenario(std::uint64_t seed) {
    Random random(seed);
    const Scale scale = scale_of(seed);
    Scenario scenario;
    scenario.seed = seed;
    const int n = rank_count_of(random, scale);
    scenario.host_of = place_ranks(random, n);
    scenario.cores = random.chance(0.5) ? 64 : 2;
    scenario.geometry = choose_geometry(random, scale);
    scenario.conditions = choose_conditions(random);
    if (random.chance(0.5)) scenario.start = ~static_cast<std::uint32_t>(random.below(40));
    scenario.algorithms = choose_algorithms(random, scale);
    scenario.lanes = random.chance(0.3) ? 1 + random.index(2) : 0;
    scenario.most_in_flight = 1 + random.index(4);
    scenario.first_epoch = static_cast<std::uint8_t>(random.below(256));
    const int lives = scale == Scale::kLarge ? 1 : 1 + random.index(3);
    for (int life = 0; life < lives; ++life) {
        scenario.lives.emplace_back();
        choose_operations(random, scenario, scale, &scenario.lives.back());
        choose_faults(random, &scenario, &scenario.lives.back());
    }
    return scenario;
}

std::string Scenario::text() const {
    std::string text = fmt::format(
        "{} ranks on {} hosts, {} cores each; flagged {}x{}x{} bytes, slotted {}x{}x{}; sequences "
        "from {}; algorithms \"{}\", lanes {}; {} in flight{}\n",
        rank_count(), 1 + *std::max_element(host_of.begin(), host_of.end()), cores,
        geometry.flagged_lanes, geometry.flagged_slot_count, geometry.flagged_slot_bytes,
        geometry.slotted_lanes, geometry.slotted_slot_count, geometry.slotted_slot_bytes, start,
        algorithms, lanes, most_in_flight, deadline ? "; with a deadline" : "");
    for (std::size_t life = 0; life < lives.size(); ++life) {
        text += fmt::format("life {}\n", life);
        for (const Operation& operation : lives[life].operations) {
            text += fmt::format("    {}\n", operation.text());
        }
        for (const Fault& fault : lives[life].faults) {
            text += fmt::format("    fault: {} of rank {}, peer {}, at {} ns\n",
                                fault_name(fault.kind), fault.rank, fault.peer, fault.at);
            if (fault.kind == FaultKind::kMismatch) {
                text += fmt::format("        calls {} as #{}\n", fault.instead.text(), fault.call);
            }
        }
    }
    return text;
}

}  // namespace xccl::simulator
