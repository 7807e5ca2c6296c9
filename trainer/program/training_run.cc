#include "program/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"
#include "program/data_parallel_model.h"
#include "program/failure.h"
#include "program/interrupt.h"
#include "program/learning_rate.h"
#include "program/machine.h"
#include "program/stopwatch.h"
#include "program/text_generator.h"
#include "report/time_shares.h"
#include "report/utf8.h"

namespace xccl::trainer {
namespace {

std::size_t threads_of(const Options& options, const Job& job) {
    if (options.threads > 0) return options.threads;
    return std::max<std::size_t>(1, usable_cpus() / std::max<std::size_t>(1, job.ranks_of_host()));
}

const char* plural(std::size_t count, const char* ending = "s") {
    return count == 1 ? "" : ending;
}

// Whoever is told to end should be gone before a launcher kills it, which some do after 5 s.
constexpr double kHurriedSeconds = 1;

// What rank 0 tells the others after training.
struct LastWord {
    bool final = false;
    int code = 0;
};

class TrainingRun {
  public:
    TrainingRun(const Options& options, const StepShape& shape, const Corpus& corpus, Job& job,
                RunLog* log);

    int run();

  private:
    void print_plan(const Corpus& corpus);
    void evaluate(std::uint64_t steps_done);
    bool step(std::uint64_t step);
    void complete_last_step(std::span<const RankReport> reports);
    double elapsed() const { return now_seconds() - began_ - paused_; }
    int tell();
    int follow();
    std::string sample();

    const Options& options_;
    const StepShape shape_;
    const RunLimit limit_;
    const LearningRate learning_rate_;
    Job& job_;
    RunLog* log_;
    ThreadPool pool_;
    DataParallelModel model_;
    RunSummary summary_;

    double began_ = 0;
    double paused_ = 0;      // seconds of evaluations since then
    double step_began_ = 0;  // by elapsed()
    StepTimes last_times_;   // of this rank's last step
    StepRecord last_step_;   // without its times, which come with the next step's reports
    int signal_ = 0;
};

TrainingRun::TrainingRun(const Options& options, const StepShape& shape, const Corpus& corpus,
                         Job& job, RunLog* log)
    : options_(options),
      shape_(shape),
      limit_{options.steps, options.max_time},
      learning_rate_{options.learning_rate, options.final_fraction, options.warmup},
      job_(job),
      log_(log),
      pool_(threads_of(options, job)),
      model_(options, shape, corpus, job, pool_),
      summary_(described_run(options, job)) {
    if (log != nullptr) print_plan(corpus);
}

void TrainingRun::print_plan(const Corpus& corpus) {
    const auto megabytes = [](std::size_t bytes) { return static_cast<double>(bytes) / 1e6; };
    std::string plan;
    plan += fmt::format("  {:<15}GPT-2, {} parameters: {} blocks of {} heads and {} channels\n",
                        "model", grouped(static_cast<double>(summary_.parameter_count)),
                        options_.layers, options_.heads, options_.channels);
    plan +=
        fmt::format("  {:<15}{}: {:.2f} MB to learn from, {:.2f} MB held out\n", "text",
                    options_.text, megabytes(corpus.training().count() * options_.sequence_length),
                    megabytes(corpus.validation().count() * options_.sequence_length));
    plan += fmt::format("  {:<15}{} sequences of {} bytes in {} micro-batch{}\n", "step",
                        options_.batch, options_.sequence_length, shape_.micro_batch_count,
                        plural(shape_.micro_batch_count, "es"));
    plan += fmt::format(
        "  {:<15}{} of {} thread{} ({}); {:.1f} MB of gradients in {} bucket{}, {}\n", "ranks",
        summary_.rank_count, summary_.thread_count, plural(summary_.thread_count),
        summary_.instruction_set, megabytes(summary_.parameter_count * sizeof(float)),
        model_.bucket_count(), plural(model_.bucket_count()),
        options_.blocking ? "summed after backward" : "summed during backward");
    plan += fmt::format("  {:<15}{:.0f} MB on each rank\n\n", "memory",
                        megabytes(model_.held_bytes() + corpus.all().size()));
    log_->begin(plan);
}

int TrainingRun::run() {
    began_ = now_seconds();
    evaluate(0);
    paused_ = 0;
    began_ = now_seconds();
    std::uint64_t steps_done = 0;
    for (bool more = true; more; ++steps_done) {
        const bool evaluation_due = options_.evaluate_every > 0 && steps_done > 0 &&
                                    steps_done % options_.evaluate_every == 0;
        if (evaluation_due) evaluate(steps_done);
        more = step(steps_done);
    }
    summary_.seconds = elapsed();
    RankReport last;
    last.last_times = last_times_;
    complete_last_step(job_.gather(last));
    if (log_ != nullptr) log_->stop();

    evaluate(steps_done);
    summary_.steps = steps_done;
    summary_.tokens = steps_done * shape_.samples_per_step() * options_.sequence_length;
    summary_.interrupted = signal_ != 0;
    summary_.parameter_checksum = model_.agreed_checksum();
    return job_.rank() == 0 ? tell() : follow();
}

// Rank 0 has the last word. The others wait for it, because a launcher that sees one rank end with
// an error code ends the rest. It lets them hear of it at every byte, so that nobody takes it for
// stuck.
int TrainingRun::tell() {
    summary_.sample = sample();
    // One may have come here since the last step; one that came elsewhere before it counts as well.
    const int signal_number = signal_ != 0 ? signal_ : interrupt_signal();
    LastWord word{.final = true, .code = signal_number != 0 ? 128 + signal_number : kSucceeded};
    std::optional<Failure> failure;
    try {
        log_->end(summary_);
    } catch (const Failure& caught) {
        failure = caught;
        word.code = caught.code();
    }
    job_.gather(word);
    job_.close();
    if (failure) throw *failure;
    return word.code;
}

int TrainingRun::follow() {
    for (;;) {
        const LastWord word = job_.gather(LastWord{})[0];
        if (!word.final) continue;
        job_.close();
        return word.code;
    }
}

void TrainingRun::evaluate(std::uint64_t steps_done) {
    const double began = now_seconds();
    Evaluation evaluation{.step = steps_done, .elapsed = elapsed(), .loss = 0};
    evaluation.loss = model_.evaluate(options_.evaluation_sequences, [began] {
        return interrupt_signal() != 0 && now_seconds() > began + kHurriedSeconds;
    });
    summary_.evaluations.push_back(evaluation);
    if (log_ != nullptr) log_->evaluated(evaluation);
    paused_ += now_seconds() - began;
}

// True if another step follows. Whether one does, and how large it is, is decided from what all
// ranks were told, so that they decide alike.
bool TrainingRun::step(std::uint64_t step) {
    step_began_ = elapsed();
    RankReport mine;
    mine.elapsed = step_began_;
    mine.signal = interrupt_signal();
    mine.last_times = last_times_;
    const StepResult result = model_.step(step, mine, [&](std::span<const RankReport> reports) {
        const double progress = limit_.progress(step, reports[0].elapsed, options_.warmup);
        return learning_rate_.at(step, progress);
    });
    if (step > 0) complete_last_step(model_.reports());
    last_step_ = {.step = step,
                  .tokens = shape_.samples_per_step() * options_.sequence_length,
                  .elapsed = elapsed(),
                  .loss = result.loss,
                  .learning_rate = result.learning_rate,
                  .gradient_norm = result.gradient_norm,
                  .times = {}};
    last_times_ = result.times;
    last_times_.other = std::max(0.0, elapsed() - step_began_ - result.times.total());
    for (const RankReport& report : model_.reports()) signal_ = std::max(signal_, report.signal);
    return signal_ == 0 && !limit_.reached(step + 1, model_.reports()[0].elapsed);
}

void TrainingRun::complete_last_step(std::span<const RankReport> reports) {
    StepTimes mean;
    last_step_.least_exposed = reports[0].last_times.exposed_communication;
    for (std::size_t rank = 0; rank < reports.size(); ++rank) {
        summary_.rank_times[rank] += reports[rank].last_times;
        mean += reports[rank].last_times;
        last_step_.least_exposed =
            std::min(last_step_.least_exposed, reports[rank].last_times.exposed_communication);
    }
    mean *= 1 / static_cast<double>(reports.size());
    last_step_.times = mean;
    if (log_ != nullptr) log_->stepped(last_step_);
}

// Written to the terminal as it is written.
std::string TrainingRun::sample() {
    if (options_.generate == 0 || signal_ != 0) return {};
    fmt::print("\n");
    PrintableText printable;
    const SamplingSettings settings{
        .temperature = options_.temperature, .top_k = options_.top_k, .seed = options_.seed};
    std::string text = generate_text(
        options_.prompt, options_.generate, settings,
        [this](const std::string& so_far, std::span<float> logits) {
            model_.next_byte_logits(so_far, logits);
        },
        [&](char byte) {
            fmt::print("{}", printable.add(byte));
            std::fflush(stdout);
            job_.gather(LastWord{});
            return interrupt_signal() == 0;
        });
    fmt::print("{}\n", printable.finish());
    return text;
}

}  // namespace

RunSummary described_run(const Options& options, const Job& job) {
    RunSummary run;
    run.settings = options.described();
    run.launcher = job.launcher();
    run.machine = machine_text();
    run.date = date_text();
    run.instruction_set = best_kernel_table().name;
    run.rank_count = job.rank_count();
    run.thread_count = threads_of(options, job);
    run.parameter_count = ParameterLayout(options.model()).count();
    run.flops_per_token = flops_per_token(options.model(), options.sequence_length);
    run.rank_times.resize(job.rank_count());
    run.prompt = options.prompt;
    return run;
}

int run_training(const Options& options, const StepShape& shape, const Corpus& corpus, Job& job,
                 RunLog* log) {
    TrainingRun training(options, shape, corpus, job, log);
    try {
        return training.run();
    } catch (const SharedFailure&) {
        job.close();  // in order: everybody is here, and an abort would look like a lost rank
        throw;
    } catch (...) {
        job.abort();  // while the memory of sums that are on their way is still there
        throw;
    }
}

}  // namespace xccl::trainer
