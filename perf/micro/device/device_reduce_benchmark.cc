// Question: what share of this machine's copy bandwidth does each reduction reach, from each level
// of its memory?
//
// Method: every datatype with every operator (two sources, one destination), sums of four and eight
// sources, sums with two destinations, one source copied, and the conversions, at sizes that follow
// from the sizes of the caches (levels.h). Bytes count what the algorithm reads and writes, for the
// copy (memcpy, by copy_bytes()) as for the rest. Each case is checked before it is timed. The
// repetitions of all cases are shuffled, so that a disturbance meets all alike; perf/micro/device/
// run.sh makes the table of the shares.
//
//     device_reduce_benchmark --benchmark_enable_random_interleaving=true
//         --benchmark_repetitions=5 --benchmark_min_time=0.01 [--instructions=avx2]
#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/datatypes.h"
#include "device/reduce_table.h"
#include "perf/micro/device/levels.h"
#include "perf/micro/device/reduce_case.h"

namespace {

using namespace xccl;
using namespace xccl::bench;

// As many of the copy as there should be measurements of it for each of another case.
constexpr int kCopies = 3;

// One for each thread. Made when the first case needs it, and kept: filling it takes longer than a
// repetition.
Level& level_of(const LevelShape& shape, int thread) {
    static std::mutex mutex;
    static std::map<std::pair<std::string, int>, Level> levels;
    const std::lock_guard lock(mutex);
    return levels.try_emplace({shape.name, thread}, shape).first->second;
}

void time_case(benchmark::State& state, const LevelShape& shape, const Case& c) {
    if (!is_right(c)) return state.SkipWithError("wrong result");
    Level& level = level_of(shape, state.thread_index());
    const std::size_t count = c.element_count(shape.call_bytes);
    std::vector<BoundCase> sets;
    sets.reserve(level.set_count());
    for (std::size_t set = 0; set < level.set_count(); ++set) {
        sets.emplace_back(c, count, level.sources(set), level.destinations(set));
    }
    for ([[maybe_unused]] auto _ : state) {
        sets[level.next_set()].run();
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(c.traffic(count)));
}

std::vector<Case> cases_of(xcclDataType_t type) {
    using Form = Case::Form;
    std::vector<Case> cases;
    for (int kind = 0; kind < kReduceKindCount; ++kind) {
        cases.push_back({Form::kReduce, type, static_cast<ReduceKind>(kind), 2, 1});
    }
    for (const std::size_t source_count : {4, 8}) {
        cases.push_back({Form::kReduce, type, ReduceKind::kSum, source_count, 1});
    }
    cases.push_back({Form::kReduce, type, ReduceKind::kSum, 2, 2});
    cases.push_back({Form::kReduce, type, ReduceKind::kSum, 1, 1});
    if (accumulate_type(type) != type) {
        cases.push_back({Form::kWiden, type, ReduceKind::kSum, 1, 1});
        cases.push_back({Form::kNarrow, type, ReduceKind::kSum, 1, 1});
    }
    return cases;
}

void register_case(const LevelShape& shape, const Case& c, int threads = 1) {
    const std::string name = shape.name + "/" + c.name();
    auto* const registered = benchmark::RegisterBenchmark(name.c_str(), time_case, shape, c);
    registered->UseRealTime();
    if (threads > 1) registered->Threads(threads);
}

// From memory, by one core and by two at once, with and without streaming stores.
void register_streamed(const LevelShape& shape) {
    using Form = Case::Form;
    for (const int threads : {1, 2}) {
        for (const bool streamed : {false, true}) {
            if (threads == 1 && !streamed) continue;  // they are there already
            register_case(shape, {Form::kCopy, xcclUint8, ReduceKind::kSum, 1, 1, streamed},
                          threads);
            for (const xcclDataType_t type : {xcclFloat32, xcclBfloat16}) {
                register_case(shape, {Form::kReduce, type, ReduceKind::kSum, 2, 1, streamed},
                              threads);
            }
        }
    }
}

void register_all() {
    for (const LevelShape& shape : level_shapes()) {
        for (int i = 0; i < kCopies; ++i) register_case(shape, {Case::Form::kCopy});
        for (int type = 0; type < xcclNumTypes; ++type) {
            for (const Case& c : cases_of(static_cast<xcclDataType_t>(type))) {
                register_case(shape, c);
            }
        }
        if (shape.name == "DRAM") register_streamed(shape);
    }
}

// Takes --instructions=NAME out of the arguments; false if this processor has no such set.
bool take_instructions(int* argc, char** argv) {
    constexpr std::string_view kOption = "--instructions=";
    int kept = 1;
    for (int i = 1; i < *argc; ++i) {
        const std::string_view argument = argv[i];
        if (!argument.starts_with(kOption)) {
            argv[kept++] = argv[i];
        } else if (!use_instruction_set(argument.substr(kOption.size()))) {
            std::fprintf(stderr, "%s: this processor has", argv[i]);
            for (const ReduceTable* table : usable_reduce_tables()) {
                std::fprintf(stderr, " %s", table->name);
            }
            std::fprintf(stderr, "; give one of them\n");
            return false;
        }
    }
    *argc = kept;
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (!take_instructions(&argc, argv)) return 1;
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::AddCustomContext("instructions", instruction_set());
    register_all();
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
