// Goal: no single mistake in the steps of any algorithm gets past the verifier. Method: every step
// of every rank of every algorithm, for 2 to 8 ranks, is spoiled in every way below, one at a time.
//
//     drop         a step is left out
//     swap         a step is exchanged with the next one
//     repeat       a step is done twice
//     double       a source is added once more; a copy adds what its destination held
//     chunk        an operand names the next chunk, of its buffer or of its message
//     reuse        an operand names another buffer: a cell that is still needed, or not looked at
//     peer         a message goes to, or is awaited from, the next peer
//     shrink       mailboxes have one, two or three slots
//
// A mutant must be rejected, or be equivalent. Equivalent means: the verifier proves the same
// expression for every output chunk as for the original, with the same messages, in place and not;
// and the program, run on numbers in several random orders by a machine that shares nothing with
// the verifier (tests/schedule/numbers.h), finishes each time with the original's outputs. A
// barrier delivers nothing but that all have come, which is what is proved of it, and that is
// enough. With fewer slots the steps are the same, so whether they finish is all that can differ:
// both must say the same. The test counts mutants, so a verifier that accepts everything, or an
// equivalence that excuses everything, shows. All of this is proved twice, with all chunks in one
// window of values and with a window for each (schedule/value_window.h): the verdicts must agree.
#include <gtest/gtest.h>

#include <functional>

#include "algorithms/proving.h"
#include "schedule/numbers.h"

namespace xccl {
namespace {

using testing::every_algorithm;
using testing::shape_of;

// Proof::results, as text, since numbers of expressions differ between tables.
struct Verdict {
    bool proved = false;
    std::uint64_t message_count = 0;
    std::vector<std::string> results;
    bool operator==(const Verdict&) const = default;
};

class Subject {
  public:
    Subject(const Algorithm& algorithm, const Shape& shape)
        : algorithm_(algorithm),
          shape_(shape),
          ranks_(testing::compile_all(algorithm, shape).value()) {
        original_ = judge(ranks_);
        for (bool in_place : places()) outputs_.push_back(run(ranks_, in_place, 0).outputs);
    }

    const std::vector<Steps>& ranks() const { return ranks_; }
    bool is_proved() const { return original_.proved; }
    std::uint64_t rejected() const { return rejected_; }
    std::uint64_t equivalent() const { return equivalent_; }

    void expect_caught(const std::vector<Steps>& mutant, const std::string& what) {
        const Verdict verdict = judge(mutant);
        if (!verdict.proved) {
            ++rejected_;
            return;
        }
        ++equivalent_;
        EXPECT_EQ(verdict, original_) << what << ": accepted, but something else is proved";
        for (std::size_t place = 0; place < places().size(); ++place) {
            for (std::uint64_t seed = 0; seed < 4; ++seed) {
                const testing::NumbersRun result = run(mutant, places()[place], seed);
                EXPECT_TRUE(result.finished) << what << ": accepted, but it does not finish";
                if (algorithm_.contract == Contract::kBarrier) continue;
                EXPECT_EQ(result.outputs, outputs_[place]) << what << ": accepted, but wrong";
            }
        }
    }

    // With `slot_count` slots: is that proved, and does it run?
    void expect_agreement_about(std::uint32_t slot_count) {
        VerifyOptions options = testing::verify_options(algorithm_, shape_);
        options.slot_count = slot_count;
        const bool proved = verify(ranks_, options).ok();
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            testing::Numbers numbers(ranks_, algorithm_.contract, shape_.root, false, slot_count,
                                     seed);
            EXPECT_EQ(numbers.run().finished, proved) << slot_count << " slots";
        }
        ++(proved ? equivalent_ : rejected_);
    }

  private:
    std::vector<bool> places() const {
        if (!testing::works_in_place(algorithm_.contract)) return {false};
        return {false, true};
    }
    Verdict judge(const std::vector<Steps>& ranks) const {
        Verdict verdict;
        for (bool in_place : places()) {
            VerifyOptions options = testing::verify_options(algorithm_, shape_);
            options.in_place = in_place;
            const auto proof = verify(ranks, options);
            expect_windows_agree(ranks, options, proof);
            if (!proof.ok()) return {};
            verdict.message_count += proof->message_count;
            if (algorithm_.contract == Contract::kBarrier) continue;
            for (ExpressionId result : proof->results) {
                verdict.results.push_back(proof->expressions.print(result));
            }
        }
        verdict.proved = true;
        return verdict;
    }
    // One chunk at a time: the same steps are accepted, and the same is proved of them.
    static void expect_windows_agree(const std::vector<Steps>& ranks, VerifyOptions options,
                                     const Result<Proof>& whole) {
        if (ranks[0].chunk_count == 1) return;
        options.window_values = 1;
        const auto windows = verify(ranks, options);
        ASSERT_EQ(windows.ok(), whole.ok()) << (whole.ok() ? windows : whole).status().text();
        if (!whole.ok()) return;
        EXPECT_EQ(windows->canonical, whole->canonical);
        EXPECT_EQ(windows->step_count, whole->step_count);
        EXPECT_EQ(windows->message_count, whole->message_count);
    }
    testing::NumbersRun run(const std::vector<Steps>& ranks, bool in_place,
                            std::uint64_t seed) const {
        return testing::Numbers(ranks, algorithm_.contract, shape_.root, in_place, kLeastSlotCount,
                                seed)
            .run();
    }

    const Algorithm& algorithm_;
    const Shape shape_;
    const std::vector<Steps> ranks_;
    Verdict original_;
    std::vector<std::vector<std::vector<testing::Number>>> outputs_;  // by place
    std::uint64_t rejected_ = 0;
    std::uint64_t equivalent_ = 0;
};

// A lane as a list of steps with operands of their own, which can be changed one by one.
struct LooseStep {
    Step step;
    std::vector<Operand> operands;
};
std::vector<LooseStep> loosen(const Lane& lane) {
    std::vector<LooseStep> loose;
    for (const Step& step : lane.steps) {
        const auto first = lane.operands.begin() + step.first_operand;
        loose.push_back({step, {first, first + step.source_count + step.destination_count}});
    }
    return loose;
}
Lane tighten(const std::vector<LooseStep>& loose) {
    Lane lane;
    for (LooseStep each : loose) {
        each.step.first_operand = static_cast<std::uint32_t>(lane.operands.size());
        lane.steps.push_back(each.step);
        lane.operands.insert(lane.operands.end(), each.operands.begin(), each.operands.end());
    }
    return lane;
}

// All mutants of one lane of one rank.
class Mutator {
  public:
    Mutator(Subject& subject, int rank, std::size_t lane)
        : subject_(subject),
          rank_(rank),
          lane_(lane),
          steps_(subject.ranks()[rank]),
          original_(loosen(steps_.lanes[lane])) {}

    void run() {
        for (step_ = 0; step_ < original_.size(); ++step_) {
            mutate("drop", [&](auto& all) { all.erase(all.begin() + position()); });
            mutate("repeat", [&](auto& all) { all.insert(all.begin() + position(), all[step_]); });
            if (step_ + 1 < original_.size()) {
                mutate("swap", [&](auto& all) { std::swap(all[step_], all[step_ + 1]); });
            }
            double_contributions();
            for (operand_ = 0; operand_ < original_[step_].operands.size(); ++operand_) {
                change_operand();
            }
        }
    }

  private:
    std::ptrdiff_t position() const { return static_cast<std::ptrdiff_t>(step_); }

    void mutate(const char* what, const std::function<void(std::vector<LooseStep>&)>& change) {
        std::vector<LooseStep> changed = original_;
        change(changed);
        std::vector<Steps> mutant = subject_.ranks();
        mutant[rank_].lanes[lane_] = tighten(changed);
        subject_.expect_caught(mutant, fmt::format("{}: rank {}, lane {}, step {}, operand {}",
                                                   what, rank_, lane_, step_, operand_));
    }
    void change(const char* what, const Operand& to) {
        mutate(what, [&](auto& all) { all[step_].operands[operand_] = to; });
    }
    void double_contributions() {
        const LooseStep& original = original_[step_];
        const auto add_source = [&](const Operand& source) {
            mutate("double", [&](auto& all) {
                all[step_].operands.insert(all[step_].operands.begin(), source);
                ++all[step_].step.source_count;
            });
        };
        for (std::uint16_t s = 0; s < original.step.source_count; ++s) {
            if (original.operands[s].space != Space::kSlot) add_source(original.operands[s]);
        }
        for (std::size_t d = original.step.source_count; d < original.operands.size(); ++d) {
            if (original.operands[d].space != Space::kSlot) add_source(original.operands[d]);
        }
    }

    void change_operand() {
        const Operand original = original_[step_].operands[operand_];
        Operand next = original;
        const bool is_scratch = original.space == Space::kScratch;
        const std::uint32_t limit = is_scratch ? steps_.scratch_chunk_count : steps_.chunk_count;
        next.chunk = (original.chunk + 1) % limit;
        if (next.chunk != original.chunk) change("chunk", next);
        if (original.space == Space::kSlot) {
            next = original;
            next.peer_index =
                static_cast<std::uint16_t>((original.peer_index + 1) % steps_.peers.size());
            if (next.peer_index != original.peer_index) change("peer", next);
            return;
        }
        const bool written = operand_ >= original_[step_].step.source_count;
        for (Space space : {Space::kOutput, Space::kScratch, Space::kInput}) {
            if (space == original.space || (written && space == Space::kInput)) continue;
            if (space == Space::kScratch && steps_.scratch_chunk_count == 0) continue;
            next = original;
            next.space = space;
            for (std::uint32_t chunk : {original.chunk, 0u}) {
                next.chunk = chunk;
                change("reuse", next);
            }
        }
    }

    Subject& subject_;
    const int rank_;
    const std::size_t lane_;
    const Steps& steps_;
    const std::vector<LooseStep> original_;
    std::size_t step_ = 0;
    std::size_t operand_ = 0;
};

// One node where that will do, else several, in order and dealt out in turn.
std::vector<Shape> shapes_of(const Algorithm& algorithm, int n) {
    if (supports(algorithm, shape_of(n))) return {shape_of(n, n / 2)};
    std::vector<Shape> shapes;
    for (const Shape& shape : {shape_of(n, 0, 2), shape_of(n, 0, 3), shape_of(n, 0, 4, true)}) {
        if (supports(algorithm, shape)) shapes.push_back(shape);
    }
    return shapes;
}

class Mutation : public ::testing::TestWithParam<const Algorithm*> {};

TEST_P(Mutation, OfAnySingleStepIsRejectedOrEquivalent) {
    const Algorithm& algorithm = *GetParam();
    std::uint64_t rejected = 0, equivalent = 0;
    for (int n = 2; n <= 8; ++n) {
        for (const Shape& shape : shapes_of(algorithm, n)) {
            SCOPED_TRACE(testing::name_of(algorithm, shape));
            Subject subject(algorithm, shape);
            ASSERT_TRUE(subject.is_proved());
            for (int rank = 0; rank < n; ++rank) {
                for (std::size_t lane = 0; lane < subject.ranks()[rank].lanes.size(); ++lane) {
                    Mutator(subject, rank, lane).run();
                }
            }
            for (std::uint32_t slots : {1u, 2u, 3u}) subject.expect_agreement_about(slots);
            if (HasFailure()) return;
            rejected += subject.rejected();
            equivalent += subject.equivalent();
        }
    }
    std::printf("%-34s %7lu mutants rejected, %5lu equivalent\n", algorithm.name, rejected,
                equivalent);
    EXPECT_GT(rejected, 100u);
    // A barrier's terms may come twice, and in any order.
    const std::uint64_t excuses =
        algorithm.contract == Contract::kBarrier ? rejected : rejected / 4;
    EXPECT_LT(equivalent, excuses) << "too many excuses";
}

INSTANTIATE_TEST_SUITE_P(Registry, Mutation, ::testing::ValuesIn(every_algorithm()),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace xccl
