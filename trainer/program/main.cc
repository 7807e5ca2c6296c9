// xccl-train: trains a GPT-2 model on a text, with data-parallel ranks that talk through xccl.
//
// Each rank prepares alone (options, text), then joins the others; from there on they decide
// together. Only one of them says why it did not work.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <string_view>

#include "data/corpus.h"
#include "program/checksum.h"
#include "program/failure.h"
#include "program/interrupt.h"
#include "program/options.h"
#include "program/run_log.h"
#include "program/start.h"
#include "program/training_run.h"
#include "xccl.h"

namespace xccl::trainer {
namespace {

// What one rank needs before it joins the others.
struct Prepared {
    Options options;
    StepShape shape;
    std::optional<Corpus> corpus;
    std::unique_ptr<RunLog> log;  // rank 0's
    std::optional<Failure> failure;

    // All that must be alike on all ranks.
    std::uint64_t purpose() const {
        Checksum checksum;
        for (const auto& [name, value] : options.described()) {
            if (name != "text") checksum.add(std::span(value));
        }
        if (corpus) checksum.add(corpus->all());
        return checksum.value();
    }
};

void prepare(Prepared& prepared, const xcclLaunchInfo_t& info) {
    prepared.shape = prepared.options.step_shape(static_cast<std::size_t>(info.nranks));
    const Options& options = prepared.options;
    prepared.corpus.emplace(read_file(options.text), options.text,
                            CorpusShape{.sequence_length = options.sequence_length,
                                        .samples_per_step = static_cast<std::size_t>(options.batch),
                                        .validation_fraction = options.validation_fraction});
}

int train(Prepared& prepared) {
    Job job(prepared.options.reproducible);
    watch_interrupts();
    try {
        if (job.rank() == 0 && !prepared.failure) {
            prepared.log =
                std::make_unique<RunLog>(prepared.options, described_run(prepared.options, job));
        }
    } catch (const Failure& failure) {
        prepared.failure = failure;
    }
    agree_to_start(job, prepared.failure, prepared.purpose());
    return run_training(prepared.options, prepared.shape, *prepared.corpus, job,
                        prepared.log.get());
}

// A lost rank is noticed by all that are left, and one of them should say so: rank 0, or rank 1 if
// that is what was lost. The others give a launcher the time to end them, and speak if none does.
// True if this rank should speak.
bool has_the_word(const Failure& failure, int rank) {
    constexpr unsigned kPatienceMicroseconds = 500000;
    const bool rank_0_lost = std::string_view(failure.what()).starts_with("rank 0 ");
    if (failure.code() != kCommunication || rank == (rank_0_lost ? 1 : 0)) return true;
    if (interrupt_signal() == SIGTERM) return false;
    unwatch_interrupts();
    usleep(kPatienceMicroseconds);
    return true;
}

int report(const Failure& failure, int rank) {
    if (has_the_word(failure, rank)) {
        fmt::print(stderr, "xccl-train: {}{}\n", rank > 0 ? fmt::format("rank {}: ", rank) : "",
                   failure.what());
    }
    return failure.code();
}

int run(int argument_count, char** arguments) {
    xcclLaunchInfo_t info{};
    info.size = sizeof(info);
    const bool launched = xcclGetLaunchInfo(&info) == xcclSuccess;
    const int rank = launched ? info.rank : 0;
    Prepared prepared;
    try {
        if (!launched) throw Failure(kBadUsage, "{}", xcclGetLastError(nullptr));
        try {
            std::optional<Options> options = parse_options(argument_count, arguments);
            if (!options) return kSucceeded;
            prepared.options = std::move(*options);
            prepare(prepared, info);
        } catch (const Failure& failure) {
            prepared.failure = failure;
            if (info.nranks == 1) throw;
        }
        return train(prepared);
    } catch (const ReportedFailure& failure) {
        return failure.code();
    } catch (const SharedFailure& failure) {
        return rank == 0 ? report(failure, rank) : failure.code();
    } catch (const Failure& failure) {
        return report(prepared.failure ? *prepared.failure : failure, rank);
    } catch (const std::bad_alloc&) {
        return report(Failure(kFailed,
                              "out of memory. Take a smaller --micro-batch, --channels or "
                              "--sequence-length."),
                      rank);
    }
}

}  // namespace
}  // namespace xccl::trainer

int main(int argument_count, char** arguments) {
    return xccl::trainer::run(argument_count, arguments);
}
