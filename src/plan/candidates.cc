#include "plan/candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/datatypes.h"
#include "plan/proofs.h"
#include "schedule/contract.h"

namespace xccl {
namespace {

constexpr std::uint64_t kPieceAlignment = 64;          // elements: chunks start on cache lines
constexpr std::uint64_t kShortestMessageBytes = 2048;  // below, steps cost more than bytes

// The number of elements that decides: at least one, and a full message where nobody knows.
std::uint64_t planned_count(const Request& request, std::uint64_t full_piece) {
    if (request.coll == xcclCollAlltoAllv) return full_piece;
    return std::max<std::uint64_t>(request.count, 1);
}

std::uint64_t rounded_piece(std::uint64_t elements) {
    return elements < kPieceAlignment ? elements : elements / kPieceAlignment * kPieceAlignment;
}

bool matches(const Algorithm& algorithm, std::string_view name) {
    return name == algorithm.name || name == short_name(algorithm);
}

// A proof of seconds would cost more than most runs could win back.
bool is_better(const Candidate& a, const Candidate& b) {
    if (a.slow_to_prove != b.slow_to_prove) return b.slow_to_prove;
    return a.choice.predicted_us < b.choice.predicted_us;
}

}  // namespace

bool needs_canonical_order(const Request& request) {
    if (!request.reproducible || !is_float(request.type)) return false;
    if (!collective_shape(request.coll).combines) return false;
    return request.op != xcclMax && request.op != xcclMin;
}

bool needs_wide_wire(const Request& request) {
    return needs_canonical_order(request) && accumulate_type(request.type) != request.type;
}

std::string_view short_name(const Algorithm& algorithm) {
    const std::string_view name = algorithm.name;
    const std::string_view contract = contract_name(algorithm.contract);
    if (name.size() <= contract.size() + 1) return name;
    const std::size_t stem = name.size() - contract.size() - 1;
    return name[stem] == '_' && name.substr(stem + 1) == contract ? name.substr(0, stem) : name;
}

std::vector<std::string_view> algorithm_names() {
    std::vector<std::string_view> names;
    for (const Algorithm& algorithm : all_algorithms()) names.push_back(short_name(algorithm));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const Algorithm& algorithm : all_algorithms()) {
        if (short_name(algorithm) != algorithm.name) names.emplace_back(algorithm.name);
    }
    return names;
}

Candidates::Candidates(Topology topology, PlanLimits limits, HostCosts costs, Overrides overrides,
                       int lanes)
    : topology_(std::move(topology)),
      limits_(limits),
      costs_(costs),
      overrides_(std::move(overrides)),
      lanes_(lanes) {}

Shape Candidates::shape_of(int rank, int root) const {
    Shape shape;
    shape.rank = rank;
    shape.rank_count = topology_.rank_count;
    shape.root = root;
    if (topology_.node_count() > 1) shape.node_of_rank = topology_.node_of_rank;
    return shape;
}

std::vector<Candidate> Candidates::consider(const Request& request) {
    std::vector<Candidate> all;
    const Contract contract = collective_shape(request.coll).contract;
    for (const Algorithm& algorithm : all_algorithms()) {
        if (algorithm.contract == contract) all.push_back(candidate(algorithm, request));
    }
    return all;
}

Result<Choice> Candidates::choose(const Request& request) {
    const std::vector<Candidate> all = consider(request);
    for (std::string_view name : overrides_.names_for(request.coll)) {
        for (const Candidate& wanted : all) {
            if (wanted.refusal.empty() && matches(*wanted.algorithm, name)) return wanted.choice;
        }
    }
    const Candidate* best = nullptr;
    std::string refusals;
    for (const Candidate& candidate : all) {
        if (!candidate.refusal.empty()) {
            refusals += fmt::format("; {}: {}", candidate.algorithm->name, candidate.refusal);
        } else if (best == nullptr || is_better(candidate, *best)) {
            best = &candidate;
        }
    }
    if (best == nullptr) {
        if (needs_canonical_order(request)) {
            return invalid_usage(
                "no algorithm combines {} over {} ranks in the canonical order; use fewer ranks, "
                "or all_reduce, or leave reproducible mode{}",
                coll_name(request.coll), topology_.rank_count, refusals);
        }
        return internal_error("no algorithm can carry out {} over {} ranks{}",
                              coll_name(request.coll), topology_.rank_count, refusals);
    }
    return best->choice;
}

std::string Candidates::refusal_of(const Algorithm& algorithm, const Request& request) const {
    if (!supports(algorithm, shape_of(0, request.root))) {
        return topology_.node_count() > 1 ? "does not do these hosts" : "does not do this shape";
    }
    if (needs_canonical_order(request) && !is_canonical(algorithm, topology_.rank_count)) {
        return "does not combine in the canonical order, as reproducible mode asks";
    }
    return "";
}

Candidate Candidates::candidate(const Algorithm& algorithm, const Request& request) {
    Candidate candidate;
    candidate.algorithm = &algorithm;
    candidate.refusal = refusal_of(algorithm, request);
    if (!candidate.refusal.empty()) return candidate;
    const Facts& facts = facts_of(algorithm, request.root);
    candidate.refusal = facts.failure;
    candidate.slow_to_prove = facts.slow_to_prove;
    if (!candidate.refusal.empty()) return candidate;

    Choice form;
    form.algorithm = &algorithm;
    form.wire_bytes =
        element_bytes(needs_wide_wire(request) ? accumulate_type(request.type) : request.type);
    form.tiles.blocks = collective_shape(request.coll).work != BufferShape::kTile;
    form.tiles.chunk_count = facts.chunk_count;
    for (Protocol protocol : {Protocol::kFlagged, Protocol::kSlotted}) {
        // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): the API lets no unknown type in
        const std::uint64_t message_elements = limits_.payload_bytes(protocol) / form.wire_bytes;
        const std::uint64_t full = rounded_piece(message_elements / facts.max_span);
        if (full == 0) continue;
        form.protocol = protocol;
        form.tiles.count = planned_count(request, full);
        form.tiles.piece_elements = full;
        const bool small_enough = request.coll != xcclCollAlltoAllv && form.tiles.tile_count() == 1;
        if (protocol == Protocol::kFlagged && !small_enough) continue;
        consider_form(facts, form, &candidate);
    }
    if (candidate.choice.algorithm == nullptr) {
        candidate.refusal =
            fmt::format("messages of {} elements do not fit a slot", facts.max_span);
    }
    return candidate;
}

// Tries the lengths of pieces and the numbers of copies, and keeps the cheapest of all.
void Candidates::consider_form(const Facts& facts, const Choice& form, Candidate* best) const {
    const Profile& profile = facts.profiles[static_cast<std::size_t>(form.protocol)];
    const int most = limits_.lanes(form.protocol) / facts.strand_count;
    if (most == 0) return;
    const int asked = std::min(lanes_, most);
    Choice choice = form;
    choice.rounds = profile.rounds;
    while (true) {
        for (int copies = asked > 0 ? asked : 1; copies <= (asked > 0 ? asked : most);
             copies *= 2) {
            choice.copies = copies;
            choice.predicted_us =
                predict_us(profile, choice.tiles, static_cast<double>(form.wire_bytes), copies);
            const bool first = best->choice.algorithm == nullptr;
            if (first || choice.predicted_us < best->choice.predicted_us) best->choice = choice;
        }
        const std::uint64_t shorter = rounded_piece(choice.tiles.piece_elements / 2);
        if (form.protocol == Protocol::kFlagged ||
            shorter * form.wire_bytes * facts.max_span < kShortestMessageBytes) {
            return;
        }
        choice.tiles.piece_elements = shorter;
    }
}

const Candidates::Facts& Candidates::facts_of(const Algorithm& algorithm, int root) {
    const auto key = std::make_pair(&algorithm, root);
    const auto known = facts_.find(key);
    if (known != facts_.end()) return known->second;
    return facts_.emplace(key, find_facts(algorithm, root)).first->second;
}

Candidates::Facts Candidates::find_facts(const Algorithm& algorithm, int root) const {
    Facts facts;
    Program program;
    for (int rank : ranks_to_profile(topology_.rank_count, root)) {
        const Schedule schedule = algorithm.generate(shape_of(rank, root));
        for (const Strand& strand : schedule.strands) {
            program.round_count =
                std::max(program.round_count, static_cast<int>(strand.rounds.size()));
        }
        Result<Steps> steps = compile(schedule);
        if (!steps.ok()) {
            facts.failure = steps.status().text();
            return facts;
        }
        program.ranks.push_back(std::move(steps).value());
    }
    const Effort effort = effort_of(algorithm, program.ranks, shape_of(0, root));
    if (effort == Effort::kTooMuch) {
        facts.failure = "has more steps over all ranks than can be proved";
        return facts;
    }
    facts.slow_to_prove = effort == Effort::kSlow;
    const Steps& any = program.ranks.front();
    facts.chunk_count = any.chunk_count;
    facts.max_span = any.max_span;
    facts.strand_count = static_cast<int>(any.strand_count);
    for (Protocol protocol : {Protocol::kFlagged, Protocol::kSlotted}) {
        facts.profiles[static_cast<std::size_t>(protocol)] =
            profile_of(program, topology_, costs_, protocol, limits_.slot_count(protocol));
    }
    return facts;
}

}  // namespace xccl
