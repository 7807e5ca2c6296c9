#include "plan/proofs.h"

#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "schedule/contract.h"
#include "schedule/verify.h"

namespace xccl {
namespace {

// A process that makes communicators of ever new shapes must not fill the memory with proofs.
constexpr std::size_t kMaxKeptProofs = 4096;

using Key = std::tuple<const Algorithm*, int, int, std::vector<int>, int, Rounding>;

struct Proved {
    std::once_flag once;
    Status status;
    bool canonical = false;
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

Status prove(const ProgramShape& program, Rounding rounding, bool* canonical) {
    std::vector<Steps> ranks;
    for (int rank = 0; rank < program.shape.rank_count; ++rank) {
        XCCL_ASSIGN(Steps steps, compile_program(program, rank));
        ranks.push_back(std::move(steps));
    }
    VerifyOptions options;
    options.contract = program.algorithm->contract;
    options.root = program.shape.root;
    options.rounding = rounding;
    const bool can_be_in_place = options.contract != Contract::kAllToAll;
    for (bool in_place : {false, true}) {
        if (in_place && !can_be_in_place) continue;
        options.in_place = in_place;
        const Result<Proof> proof = verify(ranks, options);
        if (!proof.ok()) {
            return internal_error("{} over {} ranks is not right{}, and is not run: {}",
                                  program.algorithm->name, program.shape.rank_count,
                                  in_place ? " in place" : "", proof.status().text());
        }
        *canonical = proof.value().canonical;
    }
    return ok_status();
}

}  // namespace

Result<Steps> compile_program(const ProgramShape& program, int rank) {
    Shape shape = program.shape;
    shape.rank = rank;
    CompileOptions options;
    options.copies = program.copies;
    return compile(program.algorithm->generate(shape), options);
}

Status prove_program(const ProgramShape& program, const ProofGoal& goal) {
    const Shape& shape = program.shape;
    const auto proved = entry_of({program.algorithm, shape.rank_count,
                                  is_rooted(program.algorithm->contract) ? shape.root : 0,
                                  shape.node_of_rank, program.copies, goal.rounding});
    std::call_once(proved->once,
                   [&] { proved->status = prove(program, goal.rounding, &proved->canonical); });
    XCCL_TRY(proved->status);
    if (goal.canonical && !proved->canonical) {
        return internal_error("{} over {} ranks does not combine in the canonical order",
                              program.algorithm->name, shape.rank_count);
    }
    return ok_status();
}

}  // namespace xccl
