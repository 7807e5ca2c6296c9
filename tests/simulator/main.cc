// Runs simulations and says which seeds fail, and how to see them again.
//
//     xccl_simulator --seeds 1:1000          a range of seeds
//     xccl_simulator --seed 17 --trace       one, event by event
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "executor/mutant.h"
#include "simulator/world.h"

namespace xccl::simulator {
namespace {

struct Arguments {
    std::uint64_t first = 1;
    std::uint64_t last = 0;
    std::uint64_t stride = 1;
    bool trace = false;
    std::string program;
};

struct Totals {
    std::uint64_t seeds = 0, failed = 0, events = 0, messages = 0, references = 0, operations = 0;
    std::array<int, kFaultKindCount> faults{};
};

void add(const Report& report, Totals* totals) {
    ++totals->seeds;
    totals->failed += !report.ok();
    totals->events += report.event_count;
    totals->references += report.reference_count;
    totals->messages += report.message_count;
    totals->operations += report.operation_count;
    for (int kind = 0; kind < kFaultKindCount; ++kind) {
        totals->faults[kind] += report.faults_struck[kind];
    }
}

void run_seed(std::uint64_t seed, const Arguments& arguments, Totals* totals) {
    const Scenario scenario = make_scenario(seed);
    if (arguments.trace) fmt::print("{}", scenario.text());
    const Report report = World(&scenario, arguments.trace).run();
    add(report, totals);
    if (arguments.trace) {
        fmt::print("{} events, hash {:016x}\n", report.event_count, report.event_hash);
    }
    if (report.ok()) return;
    fmt::print("seed {} failed:\n{}", seed, scenario.text());
    for (const std::string& complaint : report.complaints) fmt::print("  {}\n", complaint);
    fmt::print("to see it again: {} --seed {} --trace\n", arguments.program, seed);
}

int run(const Arguments& arguments) {
    Totals totals;
    for (std::uint64_t seed = arguments.first; seed <= arguments.last; seed += arguments.stride) {
        run_seed(seed, arguments, &totals);
    }
    fmt::print(
        "{} seeds, {} failed; {} calls, {} messages ({} read where they lay), "
        "{} events; faults that struck:",
        totals.seeds, totals.failed, totals.operations, totals.messages, totals.references,
        totals.events);
    for (int kind = 1; kind < kFaultKindCount; ++kind) {
        fmt::print(" {} {}", totals.faults[kind], fault_name(static_cast<FaultKind>(kind)));
    }
    fmt::print("\n");
    return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace xccl::simulator

int main(int argc, char** argv) {
    xccl::simulator::Arguments arguments;
    arguments.program = argv[0];
    std::uint64_t seed = 0;
    std::string seeds;
    CLI::App app("Runs xccl's engine on simulated machines");
    app.add_option("--seed", seed, "one seed");
    app.add_option("--seeds", seeds, "FIRST:LAST");
    app.add_option("--stride", arguments.stride, "only every so manyth of them")
        ->check(CLI::PositiveNumber);
    app.add_flag("--trace", arguments.trace, "print what happens");
    CLI11_PARSE(app, argc, argv);
    unsigned long long first = seed, last = seed;
    if (!seeds.empty() && std::sscanf(seeds.c_str(), "%llu:%llu", &first, &last) != 2) {
        fmt::print(stderr, "--seeds takes FIRST:LAST, not {}\n", seeds);
        return 2;
    }
    if (first == 0) {
        fmt::print(stderr, "which seed? --seed or --seeds; the first is 1\n");
        return 2;
    }
    arguments.first = first;
    arguments.last = last;
    return xccl::simulator::run(arguments);
}
