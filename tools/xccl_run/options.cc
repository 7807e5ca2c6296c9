#include "xccl_run/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "base/limits.h"
#include "base/nearest_name.h"
#include "xccl.h"

namespace xccl::run {
namespace {

constexpr double kMaxSeconds = 1e7;  // four months

constexpr const char* kIntroduction =
    "Runs a program N times on this machine, as the ranks of one job.\n\n"
    "Each process finds XCCL_RANK, XCCL_SIZE, XCCL_LOCAL_RANK, XCCL_LOCAL_SIZE and\n"
    "XCCL_JOB_ID (the job's name and secret) in its environment; programs that use\n"
    "xccl need nothing else.\n";
constexpr const char* kRules =
    "When a rank fails, the others are asked to end (SIGTERM), and killed after the\n"
    "grace period. SIGINT, SIGTERM, SIGHUP and SIGQUIT end the job likewise; a second\n"
    "one kills at once. SIGUSR1 and SIGUSR2 are only passed on. However xccl-run ends,\n"
    "kill -9 included, no process of the job stays behind. Only rank 0 reads standard\n"
    "input.\n\n"
    "Exit status: 0, or that of the first rank that failed; 128 + N if signal N ended\n"
    "it; 124 after --timeout; 126 or 127 if the program cannot be run or found; 125 if\n"
    "the job cannot be set up; 2 if the options are wrong.";

// CLI11's help, but what follows the options is told too.
class WithProgram : public CLI::Formatter {
  public:
    std::string make_usage(const CLI::App*, std::string) const override {
        return "Usage: xccl-run -n N [OPTIONS] [--] PROGRAM [ARGUMENTS...]\n";
    }
};

// CLI11 shows what this returns after the option's name.
CLI::Validator number(double low, double high) {
    return CLI::Validator(
        [low, high](const std::string& text) -> std::string {
            double value = 0;
            const char* const end = text.data() + text.size();
            const auto [stopped, error] = std::from_chars(text.data(), end, value);
            if (error == std::errc() && stopped == end && value >= low && value <= high) return {};
            return fmt::format("'{}' is not a number from {:g} to {:g}", text, low, high);
        },
        "", "number");
}

CLI::Validator whole_number(int low, int high) {
    return CLI::Validator(
        [low, high](const std::string& text) -> std::string {
            int value = 0;
            const char* const end = text.data() + text.size();
            const auto [stopped, error] = std::from_chars(text.data(), end, value);
            if (error == std::errc() && stopped == end && value >= low && value <= high) return {};
            return fmt::format("'{}' is not a whole number from {} to {}", text, low, high);
        },
        "", "whole number");
}

void add_options(CLI::App& app, Options* options) {
    app.add_option("-n,--ranks", options->ranks, "How many processes.")
        ->required()
        ->type_name("N")
        ->check(whole_number(1, kMaxLocalRanks));
    app.add_flag("--prefix", options->prefix, "Put [rank] in front of each line that is written.");
    app.add_option("--timeout", options->timeout_s, "End the job after S seconds.")
        ->type_name("S")
        ->check(number(0.001, kMaxSeconds));
    app.add_option("--grace", options->grace_s,
                   "Seconds between asking to end and killing; default 5.")
        ->type_name("S")
        ->check(number(0, kMaxSeconds));
    app.add_flag("--bind", options->bind,
                 "Give each rank CPUs of its own, an equal share of those\n"
                 "allowed here, in the order of their numbers. Default: ranks\n"
                 "run wherever the system puts them.");
    app.set_version_flag("--version",
                         fmt::format("xccl-run {}.{}.{}", XCCL_MAJOR, XCCL_MINOR, XCCL_PATCH));
}

Status unknown_option(const CLI::App& app, std::string given) {
    given = given.substr(0, given.find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    const std::vector<std::string_view> names(known.begin(), known.end());
    const std::string_view nearest = nearest_name(given, names);
    const std::string hint = nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
    return invalid_argument("unknown option {}{} (options of the program follow its name)", given,
                            hint);
}

}  // namespace

Result<Options> parse_options(std::vector<std::string> arguments) {
    Options options;
    CLI::App app(kIntroduction, "xccl-run");
    app.formatter(std::make_shared<WithProgram>());
    app.footer(kRules);
    app.prefix_command();  // what follows the program is the program's
    add_options(app, &options);

    // Everything after -- is taken as it stands.
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    const std::vector<std::string> rest(dashes, arguments.end());
    arguments.erase(dashes, arguments.end());
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
        app.parse(arguments);
    } catch (const CLI::CallForHelp&) {
        options.text = app.help();
        return options;
    } catch (const CLI::CallForVersion& version) {
        options.text = std::string(version.what()) + "\n";
        return options;
    } catch (const CLI::Error& error) {
        const auto ours = app.remaining();
        if (!ours.empty() && ours.front()[0] == '-') return unknown_option(app, ours.front());
        return invalid_argument("{}", error.what());
    }
    options.command = app.remaining();
    if (!options.command.empty() && options.command.front().substr(0, 1) == "-") {
        return unknown_option(app, options.command.front());
    }
    const bool starts_after_dashes = options.command.empty() && !rest.empty();
    options.command.insert(options.command.end(), rest.begin() + (starts_after_dashes ? 1 : 0),
                           rest.end());
    if (options.command.empty()) return invalid_argument("which program is to be run?");
    if (options.command.front().empty()) return invalid_argument("the program's name is empty");
    return options;
}

}  // namespace xccl::run
