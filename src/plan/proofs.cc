#include "plan/proofs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "schedule/contract.h"
#include "schedule/landings.h"
#include "schedule/verify.h"
#include "schedule/verify_symmetric.h"

namespace xccl {
namespace {

// A process that makes communicators of ever new shapes must not fill the memory with proofs.
constexpr std::size_t kMaxKeptProofs = 4096;

using Key = std::tuple<const Algorithm*, int, int, std::vector<int>, int, Rounding>;

struct Proved {
    std::once_flag once;
    Status status;
    bool canonical = false;
    bool by_rotation = false;
    Sharing sharing;
};

// The entry of a shape; who comes first fills it, the others wait for that (std::call_once).
std::shared_ptr<Proved> entry_of(const Key& key) {
    static std::mutex mutex;
    static std::map<Key, std::shared_ptr<Proved>> proofs;
    const std::lock_guard lock(mutex);
    if (proofs.size() >= kMaxKeptProofs) proofs.clear();
    std::shared_ptr<Proved>& entry = proofs[key];
    if (entry == nullptr) entry = std::make_shared<Proved>();
    return entry;
}

// Of a proof in one binding, on the machine of tuning/host.h, 2026-11: a value that is moved and
// combined takes 40 ns, one that is only moved 10, a message 300, and memory of 100 B while it is
// on its way.
constexpr std::uint64_t kMovesPerOperand = 8;
constexpr std::uint64_t kQuickMoves = 16'000'000;
constexpr std::uint64_t kMostOperands = 4 * kMaxVerifiedSteps;

struct Work {
    std::uint64_t steps = 0;
    std::uint64_t operands = 0;
    std::uint64_t moves = 0;  // chunks read or written
};

void add_work(const Steps& steps, Work* work) {
    for (std::uint32_t lane = 0; lane < steps.strand_count; ++lane) {
        for (const Step& step : steps.lanes[lane].steps) {
            const std::uint64_t operands =
                step.source_count + std::uint64_t{step.destination_count};
            ++work->steps;
            work->operands += operands;
            work->moves += operands * step.span;
        }
    }
}

// Calls `verify_with` for each way to bind the buffers.
template <typename VerifyWith>
Status prove_all_bindings(const ProgramShape& program, Rounding rounding, Proved& proved,
                          VerifyWith&& verify_with) {
    VerifyOptions options;
    options.contract = program.algorithm->contract;
    options.root = is_rooted(options.contract) ? program.shape.root : 0;
    options.rounding = rounding;
    const bool can_be_in_place = options.contract != Contract::kAllToAll;
    for (bool in_place : {false, true}) {
        if (in_place && !can_be_in_place) continue;
        options.in_place = in_place;
        const Result<Proof> proof = verify_with(options);
        if (!proof.ok()) {
            return internal_error("{} over {} ranks is not right{}, and is not run: {}",
                                  program.algorithm->name, program.shape.rank_count,
                                  in_place ? " in place" : "", proof.status().text());
        }
        proved.canonical = proof.value().canonical;
    }
    return ok_status();
}

bool has_landings(const Steps& steps) {
    return std::any_of(steps.lanes.begin(), steps.lanes.begin() + steps.strand_count,
                       [](const Lane& lane) { return !landings_of(lane).empty(); });
}

// In place, which asks for more than apart.
Sharing prove_sharing(std::span<const Steps> ranks, Rounding rounding) {
    VerifyOptions options;
    options.rounding = rounding;
    options.in_place = options.read_in_place = true;
    Sharing sharing;
    sharing.read_in_place = verify(ranks, options).ok();
    sharing.divides = are_divisible(ranks);
    if (std::none_of(ranks.begin(), ranks.end(), has_landings)) return sharing;
    options.read_in_place = sharing.read_in_place;
    options.lands = true;
    sharing.lands = verify(ranks, options).ok();
    return sharing;
}

Status prove(const ProgramShape& program, Rounding rounding, Proved& proved) {
    std::vector<Steps> ranks;
    XCCL_ASSIGN(Steps first, compile_program(program, 0));
    const auto rank_count = static_cast<std::uint64_t>(program.shape.rank_count);
    Work work;
    add_work(first, &work);
    proved.by_rotation = program.algorithm->symmetry == Symmetry::kRotation &&
                         work.steps * rank_count > kMaxVerifiedSteps;
    if (proved.by_rotation) {
        return prove_all_bindings(program, rounding, proved, [&](const VerifyOptions& options) {
            return verify_rotation(first, options);
        });
    }
    ranks.push_back(std::move(first));
    for (int rank = 1; rank < program.shape.rank_count; ++rank) {
        XCCL_ASSIGN(Steps steps, compile_program(program, rank));
        ranks.push_back(std::move(steps));
    }
    XCCL_TRY(prove_all_bindings(program, rounding, proved, [&](const VerifyOptions& options) {
        return verify(ranks, options);
    }));
    if (program.algorithm->contract == Contract::kAllReduce) {
        proved.sharing = prove_sharing(ranks, rounding);
    }
    return ok_status();
}

// Does rank 0 stand for this rank too?
Status check_rotation(const ProgramShape& program) {
    XCCL_ASSIGN(const Steps first, compile_program(program, 0));
    XCCL_ASSIGN(const Steps own, compile_program(program, program.shape.rank));
    VerifyOptions options;
    options.contract = program.algorithm->contract;
    return is_rotation_of(first, own, options);
}

}  // namespace

Result<Steps> compile_program(const ProgramShape& program, int rank) {
    Shape shape = program.shape;
    shape.rank = rank;
    CompileOptions options;
    options.copies = program.copies;
    return compile(program.algorithm->generate(shape), options);
}

Effort effort_of(const Algorithm& algorithm, std::span<const Steps> some, const Shape& shape) {
    if (algorithm.symmetry == Symmetry::kRotation) return Effort::kQuick;
    Work root, others;
    std::uint64_t other_count = 0;
    for (const Steps& steps : some) {
        const bool is_root = steps.rank == shape.root;
        add_work(steps, is_root ? &root : &others);
        if (!is_root) ++other_count;
    }
    const auto all = [&](std::uint64_t Work::*what) {
        const auto ranks = static_cast<std::uint64_t>(shape.rank_count) - 1;
        return root.*what + (other_count == 0 ? 0 : others.*what * ranks / other_count);
    };
    constexpr std::uint64_t kMostSteps = kMaxVerifiedSteps - kMaxVerifiedSteps / 8;
    if (all(&Work::steps) > kMostSteps || all(&Work::operands) > kMostOperands) {
        return Effort::kTooMuch;
    }
    const std::uint64_t moves = all(&Work::moves) / (is_combining(algorithm.contract) ? 1 : 4);
    return moves + kMovesPerOperand * all(&Work::operands) > kQuickMoves ? Effort::kSlow
                                                                         : Effort::kQuick;
}

Status prove_program(const ProgramShape& program, const ProofGoal& goal, Sharing* sharing) {
    const Shape& shape = program.shape;
    const auto proved = entry_of({program.algorithm, shape.rank_count,
                                  is_rooted(program.algorithm->contract) ? shape.root : 0,
                                  shape.node_of_rank, program.copies, goal.rounding});
    std::call_once(proved->once, [&] { proved->status = prove(program, goal.rounding, *proved); });
    XCCL_TRY(proved->status);
    if (proved->by_rotation) XCCL_TRY(check_rotation(program));
    if (goal.canonical && !proved->canonical) {
        return internal_error("{} over {} ranks does not combine in the canonical order",
                              program.algorithm->name, shape.rank_count);
    }
    if (sharing != nullptr) *sharing = proved->sharing;
    return ok_status();
}

}  // namespace xccl
