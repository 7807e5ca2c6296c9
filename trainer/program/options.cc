#include "program/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "program/failure.h"
#include "program/nearest_option.h"
#include "xccl.h"

namespace xccl::trainer {
namespace {

constexpr std::uint64_t kMaxSteps = 1'000'000'000'000;
constexpr double kMaxSeconds = 1e9;  // 32 years

// CLI11 runs these on the text of a value; what they return is the rest of "--option VALUE: ...".
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
    return CLI::Validator(
        [low, high](const std::string& text) -> std::string {
            std::uint64_t value = 0;
            const char* end = text.data() + text.size();
            const auto [stopped, error] = std::from_chars(text.data(), end, value);
            if (error == std::errc() && stopped == end && value >= low && value <= high) return {};
            return fmt::format("'{}' is not a whole number from {} to {}", text, low, high);
        },
        "", "whole number");
}

CLI::Validator number(double low, double high) {
    return CLI::Validator(
        [low, high](const std::string& text) -> std::string {
            double value = 0;
            const char* end = text.data() + text.size();
            const auto [stopped, error] = std::from_chars(text.data(), end, value);
            if (error == std::errc() && stopped == end && value >= low && value <= high) return {};
            return fmt::format("'{}' is not a number from {:g} to {:g}", text, low, high);
        },
        "", "number");
}

void add_data(CLI::App& app, Options& o) {
    app.add_option("--text", o.text, "The text to learn from: a plain file, UTF-8 or 8-bit.")
        ->required()
        ->type_name("FILE")
        ->group("Text");
    app.add_option("--validation-fraction", o.validation_fraction,
                   "How much of the text is held out, in pieces from all over it.")
        ->check(number(0.0001, 0.9))
        ->group("Text");
    app.add_option("--evaluation-sequences", o.evaluation_sequences,
                   "Held-out sequences, spread evenly, that an evaluation looks at.")
        ->check(whole_number(1, 1'000'000'000))
        ->group("Text");
    app.add_option("--evaluate-every", o.evaluate_every,
                   "Steps between evaluations; 0: only before and after.")
        ->check(whole_number(0, kMaxSteps))
        ->group("Text");
}

void add_model(CLI::App& app, Options& o) {
    app.add_option("--layers", o.layers, "Transformer blocks.")
        ->check(whole_number(1, 256))
        ->group("Model");
    app.add_option("--heads", o.heads, "Attention heads of a block.")
        ->check(whole_number(1, 256))
        ->group("Model");
    app.add_option("--channels", o.channels, "Width, a multiple of --heads.")
        ->check(whole_number(1, 65536))
        ->group("Model");
    app.add_option("--sequence-length", o.sequence_length, "Bytes of context.")
        ->check(whole_number(1, 65536))
        ->group("Model");
}

void add_training(CLI::App& app, Options& o) {
    const auto add = [&app](const char* name, auto& value, const char* text) {
        return app.add_option(name, value, text)->group("Training");
    };
    add("--steps", o.steps, "Steps to train for. Without this and --max-time: 1000.")
        ->check(whole_number(1, kMaxSteps));
    add("--max-time", o.max_time, "Seconds to train for; the learning rate falls with the time.")
        ->check(number(0.001, kMaxSeconds));
    add("--batch", o.batch, "Sequences of a step, over all ranks.")
        ->check(whole_number(1, 1 << 20));
    add("--micro-batch", o.micro_batch,
        "Sequences that a rank computes at once; default: its share of --batch. With the same "
        "--micro-batch, 2 ranks give the bits of 1.")
        ->check(whole_number(1, 1 << 20));
    add("--learning-rate", o.learning_rate, "Peak of the learning rate.")->check(number(0, 100));
    add("--warmup", o.warmup, "Steps until the peak.")->check(whole_number(0, kMaxSteps));
    add("--final-fraction", o.final_fraction, "Of the peak, at the end of the cosine.")
        ->check(number(0, 1));
    add("--weight-decay", o.weight_decay, "Of matrices, decoupled.")->check(number(0, 100));
    add("--beta1", o.beta1, "AdamW's decay of the mean.")->check(number(0, 0.999999));
    add("--beta2", o.beta2, "AdamW's decay of the square.")->check(number(0, 0.999999));
    add("--clip", o.clip, "Greatest norm of the gradient; 0: any.")->check(number(0, 1e9));
    add("--seed", o.seed, "Of first weights, order of samples and generated text.")
        ->check(whole_number(0, UINT64_MAX));
}

void add_ranks(CLI::App& app, Options& o) {
    app.add_option("--threads", o.threads,
                   "Threads of each rank; default: the CPUs, shared among the ranks of this host.")
        ->check(whole_number(1, 1024))
        ->group("Ranks");
    app.add_option("--bucket-bytes", o.bucket_bytes,
                   "Gradients that are summed in one all-reduce, such as 256K or 4M.")
        ->transform(CLI::AsSizeValue(false))
        ->group("Ranks");
    app.add_flag("--blocking", o.blocking,
                 "Sum gradients after backward instead of during it: for comparison.")
        ->group("Ranks");
    app.add_flag("--reproducible", o.reproducible,
                 "Let sums not depend on algorithm, transport or placement.")
        ->group("Ranks");
}

void add_output(CLI::App& app, Options& o) {
    const auto add = [&app](const char* name, auto& value, const char* text) {
        return app.add_option(name, value, text)->group("Output");
    };
    add("--generate", o.generate, "Bytes of text to write at the end.")
        ->check(whole_number(0, 1 << 20));
    add("--prompt", o.prompt, "What the generated text continues.");
    add("--temperature", o.temperature, "Of the generated text; 0: always the likeliest byte.")
        ->check(number(0, 100));
    add("--top-k", o.top_k, "The generated text chooses among so many bytes.")
        ->check(whole_number(1, 256));
    add("--report", o.report, "HTML page to write at the end.")->type_name("FILE");
    add("--metrics", o.metrics, "JSON lines to write, one for each step.")->type_name("FILE");
}

std::vector<std::string> names_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) names.push_back(option->get_name());
    return names;
}

// The first argument that belongs to no option.
Failure unexpected(const CLI::App& app) {
    for (const std::string& argument : app.remaining()) {
        if (!argument.starts_with('-')) continue;
        const std::string name = argument.substr(0, argument.find('='));
        const std::string nearest = nearest_option(name, names_of(app));
        if (nearest.empty()) {
            return Failure(kBadUsage, "unknown option {}; --help lists what there is", name);
        }
        return Failure(kBadUsage, "unknown option {}; did you mean {}?", name, nearest);
    }
    return Failure(kBadUsage, "unexpected argument '{}'; --help lists what there is",
                   app.remaining().front());
}

std::string one_line(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    return text;
}

// What no single option can know.
void check_together(Options& o, const CLI::App& app) {
    if (o.text.empty()) throw Failure(kBadUsage, "--text: give the file to learn from");
    if (const std::string problem = problem_with(o.model()); !problem.empty()) {
        throw Failure(kBadUsage, "{}", problem);
    }
    if (o.bucket_bytes < sizeof(float) || o.bucket_bytes > std::size_t{1} << 40) {
        throw Failure(kBadUsage, "--bucket-bytes {}: from 4 bytes to 1T, such as 1M",
                      o.bucket_bytes);
    }
    if (o.micro_batch > 0 && o.batch % o.micro_batch != 0) {
        throw Failure(kBadUsage, "--batch {} is not a multiple of --micro-batch {}", o.batch,
                      o.micro_batch);
    }
    if (!o.report.empty() && o.report == o.metrics) {
        throw Failure(kBadUsage, "--report and --metrics both name {}; they need a file each",
                      o.report);
    }
    if (app.count("--steps") == 0 && app.count("--max-time") == 0) o.steps = 1000;
}

constexpr const char* kFooter =
    "Ranks come from the launcher: xccl-run -n 2 xccl-train ..., mpirun or srun; alone it is one.\n"
    "Exit codes: 0 done, 1 failed, 2 bad option, 3 bad text, 4 report or metrics not written,\n"
    "5 a rank was lost, 130 interrupted (the report is written).";

}  // namespace

Gpt2Config Options::model() const {
    return {.vocabulary_size = 256,
            .context_length = sequence_length,
            .layer_count = layers,
            .head_count = heads,
            .channel_count = channels};
}

StepShape Options::step_shape(std::size_t rank_count) const {
    if (batch % rank_count != 0) {
        const std::uint64_t below = batch / rank_count * rank_count;
        throw Failure(kBadUsage, "--batch {} can't be shared among {} ranks; {}{} would do", batch,
                      rank_count, below > 0 ? fmt::format("{} or ", below) : std::string(),
                      below + rank_count);
    }
    const std::uint64_t micro = micro_batch > 0 ? micro_batch : batch / rank_count;
    const StepShape shape{.micro_batch = micro, .micro_batch_count = batch / micro};
    if (shape.micro_batch_count % rank_count != 0) {
        throw Failure(kBadUsage,
                      "--batch {} is {} micro-batches of {}, which can't be shared among {} ranks; "
                      "--micro-batch {} would do",
                      batch, shape.micro_batch_count, micro, rank_count, batch / rank_count);
    }
    return shape;
}

std::vector<std::pair<std::string, std::string>> Options::described() const {
    const auto text_of = [](auto value) { return fmt::format("{}", value); };
    return {
        {"text", text},
        {"validation-fraction", text_of(validation_fraction)},
        {"layers", text_of(layers)},
        {"heads", text_of(heads)},
        {"channels", text_of(channels)},
        {"sequence-length", text_of(sequence_length)},
        {"steps", steps > 0 ? text_of(steps) : "no limit"},
        {"max-time", max_time > 0 ? fmt::format("{} s", max_time) : "no limit"},
        {"batch", text_of(batch)},
        {"micro-batch", micro_batch > 0 ? text_of(micro_batch) : "batch / ranks"},
        {"learning-rate", text_of(learning_rate)},
        {"warmup", text_of(warmup)},
        {"final-fraction", text_of(final_fraction)},
        {"weight-decay", text_of(weight_decay)},
        {"beta1", text_of(beta1)},
        {"beta2", text_of(beta2)},
        {"clip", clip > 0 ? text_of(clip) : "none"},
        {"seed", text_of(seed)},
        {"evaluation-sequences", text_of(evaluation_sequences)},
        {"evaluate-every", evaluate_every > 0 ? text_of(evaluate_every) : "before and after"},
        {"bucket-bytes", text_of(bucket_bytes)},
        {"blocking", blocking ? "yes" : "no"},
        {"reproducible", reproducible ? "yes" : "no"},
        {"temperature", text_of(temperature)},
        {"top-k", text_of(top_k)},
    };
}

std::optional<Options> parse_options(int argument_count, const char* const* arguments) {
    Options options;
    CLI::App app("Trains a GPT-2 model on a text, with data-parallel ranks that talk through xccl.",
                 "xccl-train");
    app.footer(kFooter);
    app.option_defaults()->always_capture_default()->take_last();
    app.allow_extras();
    app.set_version_flag("--version",
                         fmt::format("xccl-train {}.{}.{}", XCCL_MAJOR, XCCL_MINOR, XCCL_PATCH));
    add_data(app, options);
    add_model(app, options);
    add_training(app, options);
    add_ranks(app, options);
    add_output(app, options);
    try {
        app.parse(argument_count, const_cast<char**>(arguments));
    } catch (const CLI::Success& asked) {
        app.exit(asked);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        if (!app.remaining().empty()) throw unexpected(app);
        throw Failure(kBadUsage, "{}", one_line(error.what()));
    }
    if (!app.remaining().empty()) throw unexpected(app);
    check_together(options, app);
    return options;
}

}  // namespace xccl::trainer
