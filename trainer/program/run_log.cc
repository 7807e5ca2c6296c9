#include "program/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "program/failure.h"
#include "report/metrics.h"
#include "report/report_page.h"
#include "report/time_shares.h"

namespace xccl::trainer {
namespace {

constexpr std::size_t kMaxPoints = 2048;  // of curves: a point is a third of a pixel of the report
constexpr std::size_t kReportRoom = std::size_t{2} << 20;  // the largest page is under 1 MiB
constexpr double kMeanSteps = 20;  // over so many steps the live line averages

std::unique_ptr<OutputFile> opened(const char* what, const std::string& path, std::size_t room) {
    if (path.empty()) return nullptr;
    return std::make_unique<OutputFile>(what, path, room);
}

std::string account(const RunSummary& run) {
    std::string text;
    const auto row = [&text](const char* name, const std::string& value) {
        text += fmt::format("  {:<15}{}\n", name, value);
    };
    if (!run.evaluations.empty()) {
        const double before = run.evaluations.front().loss, after = run.evaluations.back().loss;
        row("held-out loss", fmt::format("{:.4f} before, {:.4f} after (nats per byte; {:.3f} bits)",
                                         before, after, bits_per_byte(after)));
    }
    row("training",
        fmt::format("{} steps in {}, {} tokens, {} tokens/s, {:.1f} GFLOP/s",
                    grouped(static_cast<double>(run.steps)), clock_text(run.seconds),
                    grouped(static_cast<double>(run.tokens)), grouped(run.tokens_per_second()),
                    1e-9 * run.flops_per_token * run.tokens_per_second()));
    const StepTimes times = run.times();
    row("time", shares_text(times));
    row("communication",
        fmt::format("{:.2f} s exposed, {:.2f} s of work hidden behind backward (mean of ranks)",
                    times.exposed_communication / static_cast<double>(run.rank_count),
                    times.hidden_communication / static_cast<double>(run.rank_count)));
    row("parameters", fmt::format("checksum {}, the same on all ranks", run.parameter_checksum));
    return text;
}

}  // namespace

RunLog::RunLog(const Options& options, const RunSummary& run)
    : options_(options),
      limit_{options.steps, options.max_time},
      metrics_(opened("metrics", options.metrics, 0)),
      report_(opened("report", options.report, kReportRoom)),
      history_(kMaxPoints),
      line_(stdout) {
    if (metrics_ != nullptr) metrics_->write(run_line(run) + "\n");
}

RunLog::~RunLog() {
    try {
        if (metrics_ != nullptr && begun_) metrics_->commit();
    } catch (const Failure& failure) {
        fmt::print(stderr, "xccl-train: {}\n", failure.what());
    }
}

void RunLog::begin(const std::string& plan) {
    begun_ = true;
    fmt::print("{}", plan);
    std::fflush(stdout);
}

void RunLog::evaluated(const Evaluation& evaluation) {
    line_.finish();
    fmt::print("held-out loss after {} steps: {:.4f} nats per byte\n",
               grouped(static_cast<double>(evaluation.step)), evaluation.loss);
    std::fflush(stdout);
    write_metrics(evaluation_line(evaluation));
}

void RunLog::stepped(const StepRecord& record) {
    history_.add(record);
    write_metrics(step_line(record));
    // The mean of all steps at first, then one that forgets.
    const double fresh = 1 / std::min(static_cast<double>(record.step + 1), kMeanSteps);
    const auto mix = [fresh](double& mean, double value) { mean += fresh * (value - mean); };
    mix(mean_loss_, record.loss);
    mix(mean_tokens_, static_cast<double>(record.tokens));
    mix(mean_seconds_, record.times.total());
    StepTimes times = record.times;
    times *= fresh;
    mean_times_ *= 1 - fresh;
    mean_times_ += times;
    last_ = record;
    if (line_.due(record.elapsed)) line_.show(progress(), record.elapsed);
}

Progress RunLog::progress() const {
    const double done = limit_.done(last_.step + 1, last_.elapsed);
    double left = 1e12;
    if (limit_.steps > 0) {
        left = mean_seconds_ * static_cast<double>(limit_.steps - last_.step - 1);
    }
    if (limit_.seconds > 0) left = std::min(left, std::max(0.0, limit_.seconds - last_.elapsed));
    return {.done = done,
            .seconds_left = left,
            .step = last_.step + 1,
            .steps = limit_.steps,
            .loss = mean_loss_,
            .tokens_per_second = mean_seconds_ > 0 ? mean_tokens_ / mean_seconds_ : 0,
            .times = mean_times_};
}

void RunLog::stop() {
    if (last_.elapsed > 0) line_.show(progress(), last_.elapsed);
    line_.finish();
}

// A run is worth more than its metrics: it goes on without them, and says so at once.
void RunLog::write_metrics(const std::string& line) {
    if (metrics_ == nullptr) return;
    try {
        metrics_->write(line + "\n");
    } catch (const Failure& failure) {
        metrics_failure_ = failure.what();
        metrics_.reset();
        line_.finish();
        fmt::print(stderr, "xccl-train: {} Training goes on without metrics.\n", metrics_failure_);
    }
}

void RunLog::end(RunSummary run) {
    run.history = history_.points();
    run.steps_per_point = history_.steps_per_point();
    fmt::print("\n{}", account(run));
    write_metrics(end_line(run));
    if (metrics_ != nullptr) {
        const std::unique_ptr<OutputFile> metrics = std::move(metrics_);
        metrics->commit();
        fmt::print("  {:<15}{}\n", "metrics", options_.metrics);
    }
    if (report_ != nullptr) {
        report_->write(report_page(run));
        report_->commit();
        fmt::print("  {:<15}{}\n", "report", options_.report);
    }
    std::fflush(stdout);
    if (!metrics_failure_.empty()) throw Failure(kOutputFailed, "{}", metrics_failure_);
}

}  // namespace xccl::trainer
