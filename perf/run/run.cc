#include "run/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "report/axis.h"
#include "run/host.h"
#include "run/library_call.h"
#include "run/reporter.h"
#include "run/row_runner.h"
#include "run/session.h"
#include "run/watchdog.h"

namespace xccl::perf {
namespace {

// Threads of one process; a host has no devices to count, but a limit there must be.
constexpr int kMostRanksPerProcess = 1024;
constexpr int kTimeToTellMs = 1000;

struct Inputs {
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // what a report may show
    ParsedOptions parsed;
    EnvironmentSettings settings;
};

// The launcher starts every process with the same arguments; one of them is to complain.
bool speaks_for_all() {
    xcclLaunchInfo_t info{};
    info.size = sizeof info;
    return xcclGetLaunchInfo(&info) != xcclSuccess || info.rank == 0;
}

Inputs read_inputs(int argc, char** argv, char** environment) {
    std::vector<std::string_view> entries;
    for (char** entry = environment; *entry != nullptr; ++entry) entries.emplace_back(*entry);
    const std::vector<std::string_view> words(argv + 1, argv + argc);
    Inputs inputs;
    inputs.arguments.assign(argv, argv + argc);
    inputs.environment = reportable(entries);
    try {
        inputs.parsed = parse_options(words);
        inputs.settings = parse_environment(entries);
    } catch (const Failure& failure) {  // the launcher gives all processes the same
        throw Failure(failure.code(), failure.what(), FoundBy::kAllProcesses);
    }
    const int ranks = inputs.parsed.options.ranks_per_process();
    if (ranks > kMostRanksPerProcess) {
        throw Failure(ExitCode::kNotPossible,
                      fmt::format("Invalid number of GPUs: {} requested but only {} were found.\n"
                                  "Please check the number of processes and GPUs per process.",
                                  ranks, kMostRanksPerProcess),
                      FoundBy::kAllProcesses);
    }
    return inputs;
}

void tell_notes(const Inputs& inputs) {
    for (const std::string& note : inputs.parsed.notes) std::printf("%s\n", note.c_str());
    for (const std::string& warning : inputs.parsed.warnings) {
        std::fprintf(stderr, "%s\n", warning.c_str());
    }
    for (const std::string& warning : inputs.settings.warnings) {
        std::fprintf(stderr, "%s\n", warning.c_str());
    }
}

std::vector<int> roots_of(const Session& session) {
    if (!session.collective->has_root) return {0};
    const int count = session.group.rank_count;
    const int wanted = session.options->root;
    if (wanted >= count) {
        throw Failure(ExitCode::kInvalidUsage,
                      fmt::format("option -r {}: there is no such rank; roots are 0 to {}", wanted,
                                  count - 1),
                      FoundBy::kAllProcesses);
    }
    if (wanted != Options::kAllRoots) return {wanted};
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

// Type by type, operator by operator, root by root.
std::vector<Case> cases_of(const Session& session) {
    const std::vector<Operator> only_one{session.options->operators.front()};
    const auto& operators = session.collective->shows_op ? session.options->operators : only_one;
    const std::vector<int> roots = roots_of(session);
    std::vector<Case> cases;
    for (const ElementType& type : session.options->types) {
        for (const Operator op : operators) {
            for (const int root : roots) cases.push_back({type, op, root});
        }
    }
    return cases;
}

void read_matrix(Session* session) {
    const std::string& path = session->environment->matrix_path;
    if (path.empty() || session->collective->sends != Extent::kTraffic) return;
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
        throw Failure(ExitCode::kInvalidUsage,
                      fmt::format("traffic matrix: cannot read '{}'", path));
    }
    const int ranks = session->group.rank_count;
    session->matrix = parse_matrix(text, ranks);
    const SizeRange& sizes = session->sizes;
    const std::size_t busiest =
        matrix_traffic(session->matrix, ranks, session->environment->matrix_scale, 1).busiest();
    if (sizes.first_bytes == sizes.last_bytes && busiest <= sizes.last_bytes) return;
    throw Failure(ExitCode::kInvalidUsage,
                  fmt::format("traffic matrix: give -b and -e the same size, at least {}, the "
                              "largest sum of a row or column",
                              busiest),
                  FoundBy::kAllProcesses);
}

void announce(Session* session, const Case& c, std::size_t bytes) {
    const std::string_view op = session->collective->shows_op ? name_of(c.op) : "";
    session->progress->start_row(
        fmt::format("{} {} {}", size_label(static_cast<double>(bytes)), c.type.name, op),
        row_weight(bytes));
}

void expect_rows(Session* session, std::size_t cases) {
    if (session->options->cycles == 0) return;  // no end
    double weight = 0;
    std::size_t rows = 0;
    const SizeRange& sizes = session->sizes;
    for (std::optional<std::size_t> size = sizes.first_bytes; size; size = sizes.after(*size)) {
        weight += row_weight(*size);
        ++rows;
    }
    const std::size_t blocks = cases * static_cast<std::size_t>(session->options->cycles);
    session->progress->expect(rows * blocks, weight * static_cast<double>(blocks));
}

// One sweep. `reporter` is null in all threads but one.
void sweep(Session* session, int thread, RowRunner* runner, Reporter* reporter) {
    for (const Case& c : cases_of(*session)) {
        runner->begin(c);
        runner->warm_up();
        const SizeRange& sizes = session->sizes;
        for (std::optional<std::size_t> size = sizes.first_bytes; size; size = sizes.after(*size)) {
            if (thread == 0) announce(session, c, *size);
            Row row = runner->measure(*size);
            if (reporter == nullptr) continue;
            if (session->options->timestamps) row.timestamp = time_text();
            reporter->add(row);
            if (session->environment->traffic_summary &&
                session->collective->sends == Extent::kTraffic) {
                reporter->print_traffic(runner->traffic(), row);
            }
        }
        runner->end();
    }
}

// What each thread does. Returns the number of failed checks of the whole job.
long work(Session* session, int thread, Reporter* reporter) {
    const std::span<Seat> seats = session->seats_of(thread);
    if (session->options->parallel_init) open_communicators(session, seats);
    furnish(session, seats);
    RowRunner runner(session, thread);
    const int cycles = session->options->cycles;
    for (int cycle = 0; cycles == 0 || cycle < cycles; ++cycle) {
        sweep(session, thread, &runner, reporter);
    }
    return static_cast<long>(
        session->crew->sum(thread, static_cast<double>(runner.failed_checks())));
}

// Runs all threads, this one as the first of them.
long run_threads(Session* session, Reporter* reporter) {
    long failed_checks = 0;
    const auto guarded = [&](int thread) {
        try {
            const long failed = work(session, thread, thread == 0 ? reporter : nullptr);
            if (thread == 0) failed_checks = failed;
        } catch (const Failure& failure) {
            session->stopper->stop(failure);
        } catch (const std::exception& error) {
            session->stopper->stop(Failure(ExitCode::kInternalError, error.what()));
        }
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < session->options->threads; ++thread) {
        others.emplace_back(guarded, thread);
    }
    guarded(0);
    for (std::thread& other : others) other.join();
    return failed_checks;
}

// What was found by all is told by the first process. The others give it time for that: a launcher
// that sees one of them end may end the rest at once, with the signal that is waited for here.
void tell(const Failure& failure) {
    if (failure.found_by() == FoundBy::kAllProcesses && !speaks_for_all()) {
        wait_for_end_signal(kTimeToTellMs);
        return;
    }
    std::string text = failure.what();
    if (text.empty()) return;  // it was told where it was found
    const bool is_usage = failure.code() == ExitCode::kInvalidUsage ||
                          failure.code() == ExitCode::kBadSize ||
                          failure.code() == ExitCode::kNotPossible;
    text += '\n';
    if (!is_usage) text += fmt::format(" .. {} pid {}: Test failure\n", host_name(), getpid());
    std::fputs(text.c_str(), stderr);
}

// Opens the files of the first process. If it cannot, all processes end with its exit code.
void open_files(const Session& session, std::optional<ReportFiles>* files) {
    int code = 0;
    try {
        if (session.is_first_process()) files->emplace(*session.options);
    } catch (const Failure& failure) {
        tell(failure);
        code = static_cast<int>(failure.code());
    }
    code = session.processes->gather(code).front();
    if (code != 0) throw Failure(static_cast<ExitCode>(code), "", FoundBy::kAllProcesses);
}

// Everything from meeting the other processes to the last line.
ExitCode run_session(Session* session, const Inputs& inputs) {
    std::optional<ReportFiles> files;
    std::optional<Reporter> reporter;
    open_files(*session, &files);
    if (files) reporter.emplace(session, &*files);
    form_groups(session);
    read_matrix(session);
    cut_sizes(session);
    Crew crew(session->options->threads, session->processes, session->stopper);
    session->crew = &crew;
    expect_rows(session, cases_of(*session).size());
    session->memory_before_init = resident_memory();
    if (!session->options->parallel_init) open_communicators(session, session->seats);
    session->memory_after_init = resident_memory();
    if (reporter) reporter->print_head(inputs.arguments, inputs.environment);

    const long failed_checks = run_threads(session, reporter ? &*reporter : nullptr);
    if (session->stopper->stopped()) {
        const Failure reason = *session->stopper->reason();
        if (reporter) reporter->close(reason.what());
        throw reason;
    }
    double code = 0;
    if (reporter) code = static_cast<double>(reporter->print_end(failed_checks));
    // All processes end alike.
    const std::vector<double> codes = session->processes->gather(code);
    clear_seats(session->seats);
    session->stopper->destroy_all();
    return static_cast<ExitCode>(static_cast<int>(codes.front()));
}

ExitCode run_job(const Collective& collective, const Inputs& inputs) {
    Stopper stopper;
    const bool is_terminal = isatty(STDERR_FILENO) == 1;
    Progress progress(is_terminal && speaks_for_all());
    const Watchdog watchdog(&stopper, &progress, inputs.parsed.options.timeout_s);
    try {
        Processes processes(&stopper);
        if (processes.rank() == 0) tell_notes(inputs);
        Session session{.collective = &collective,
                        .options = &inputs.parsed.options,
                        .environment = &inputs.settings,
                        .processes = &processes,
                        .stopper = &stopper,
                        .progress = &progress,
                        .crew = nullptr,
                        .group = {},
                        .sizes = inputs.parsed.options.sizes,
                        .matrix = {},
                        .seats = {},
                        .devices = {},
                        .memory_before_init = 0,
                        .memory_after_init = 0};
        return run_session(&session, inputs);
    } catch (const Failure& failure) {
        stopper.stop(failure);  // the other processes must not wait for this one
        throw *stopper.reason();
    }
}

}  // namespace

int run_program(std::string_view name, int argc, char** argv, char** environment) {
    const Collective& collective = *find_collective(name);
    block_signals();
    try {
        const Inputs inputs = read_inputs(argc, argv, environment);
        if (inputs.parsed.options.help) {
            if (speaks_for_all()) std::fputs(usage(argv[0]).c_str(), stdout);
            return 0;
        }
        return static_cast<int>(run_job(collective, inputs));
    } catch (const Failure& failure) {
        tell(failure);
        return static_cast<int>(failure.code());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s_perf: %s\n", std::string(name).c_str(), error.what());
        return static_cast<int>(ExitCode::kInternalError);
    }
}

}  // namespace xccl::perf
