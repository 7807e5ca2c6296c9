// Question: how fast does one thread combine, for each instruction set, datatype, number of sources
// and size, and how far is that from copying?
//
// Method: sum of n sources into one destination that is none of them. Buffers rotate through
// `sets` of them, so that 8 B is hot, 32 KiB comes from the second-level cache, and 4 MiB from
// memory. Bytes count what is read and written; `copy` is the same traffic by memcpy. Every case is
// checked (n ones make n) before it is timed.
//
//     device_reduce_benchmark --benchmark_repetitions=5 --benchmark_format=json
#include <benchmark/benchmark.h>

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "base/datatypes.h"
#include "base/float_types.h"
#include "device/kernels.h"
#include "device/reduce_table.h"

namespace {

using namespace xccl;

struct Case {
    const char* instructions;
    xcclDataType_t type;
    std::size_t source_count;
    std::size_t bytes;
};

// The element `value`, a small whole number, as bytes.
std::vector<std::byte> element(xcclDataType_t type, int value) {
    std::vector<std::byte> bytes(element_bytes(type));
    const auto put = [&](auto x) { std::memcpy(bytes.data(), &x, sizeof x); };
    switch (type) {
        case xcclFloat16:
            put(narrow<Float16>(static_cast<float>(value)));
            break;
        case xcclBfloat16:
            put(narrow<Bfloat16>(static_cast<float>(value)));
            break;
        case xcclFloat8e4m3:
            put(narrow<Float8e4m3>(static_cast<float>(value)));
            break;
        case xcclFloat8e5m2:
            put(narrow<Float8e5m2>(static_cast<float>(value)));
            break;
        case xcclFloat32:
            put(static_cast<float>(value));
            break;
        case xcclFloat64:
            put(static_cast<double>(value));
            break;
        default:  // little-endian
            std::memcpy(bytes.data(), &value, bytes.size() < 4 ? bytes.size() : 4);
    }
    return bytes;
}

void fill(std::vector<std::byte>* buffer, const std::vector<std::byte>& with) {
    for (std::size_t i = 0; i < buffer->size(); i += with.size()) {
        std::memcpy(buffer->data() + i, with.data(), with.size());
    }
}

// One set of operands.
struct Operands {
    explicit Operands(const Case& c)
        : buffers(c.source_count + 1, std::vector<std::byte>(c.bytes)) {
        for (std::size_t s = 0; s < c.source_count; ++s) {
            fill(&buffers[s], element(c.type, 1));
            sources.push_back({buffers[s].data(), false, false});
        }
        destination = {buffers.back().data(), false};
    }
    Reduction reduction(const Case& c) const {
        // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): every case has a known type
        const std::size_t count = c.bytes / element_bytes(c.type);
        return {c.type, ReduceKind::kSum, sources, {&destination, 1}, count, Scale{}};
    }
    bool is_right(const Case& c) const {
        std::vector<std::byte> expected(c.bytes);
        fill(&expected, element(c.type, static_cast<int>(c.source_count)));
        return expected == buffers.back();
    }
    std::vector<std::vector<std::byte>> buffers;
    std::vector<ReduceSource> sources;
    ReduceDestination destination{};
};

std::size_t sets_for(const Case& c) {
    constexpr std::size_t kBeyondL1 = 256 << 10;
    constexpr std::size_t kBeyondL3 = 128 << 20;
    if (c.bytes < 1024) return 1;
    return (c.bytes < (1 << 20) ? kBeyondL1 : kBeyondL3) / (c.bytes * (c.source_count + 1)) + 1;
}

void report_traffic(benchmark::State& state, const Case& c) {
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(c.bytes * (c.source_count + 1)));
}

void run_reduce(benchmark::State& state, const Case& c) {
    use_instruction_set(c.instructions);
    std::deque<Operands> own;
    for (std::size_t i = 0; i < sets_for(c); ++i) own.emplace_back(c);
    for (const Operands& operands : own) {
        reduce(operands.reduction(c));
        if (!operands.is_right(c)) return state.SkipWithError("wrong result");
    }
    std::size_t next = 0;
    for ([[maybe_unused]] auto _ : state) {
        reduce(own[next].reduction(c));
        benchmark::ClobberMemory();
        next = next + 1 == own.size() ? 0 : next + 1;
    }
    report_traffic(state, c);
}

// The limit: one buffer copied to another.
void run_copy(benchmark::State& state, const Case& c) {
    std::deque<Operands> own;
    for (std::size_t i = 0; i < sets_for(c); ++i) own.emplace_back(c);
    std::size_t next = 0;
    for ([[maybe_unused]] auto _ : state) {
        Operands& operands = own[next];
        copy_bytes(operands.buffers[1].data(), operands.buffers[0].data(), c.bytes);
        benchmark::ClobberMemory();
        next = next + 1 == own.size() ? 0 : next + 1;
    }
    report_traffic(state, c);
}

void register_all() {
    const xcclDataType_t types[] = {xcclInt32,    xcclFloat32,    xcclFloat64,   xcclFloat16,
                                    xcclBfloat16, xcclFloat8e4m3, xcclFloat8e5m2};
    for (const std::size_t bytes : {std::size_t{8}, std::size_t{32} << 10, std::size_t{4} << 20}) {
        const Case copied{"", xcclUint8, 1, bytes};
        benchmark::RegisterBenchmark(("copy/" + std::to_string(bytes)).c_str(), run_copy, copied);
        for (const ReduceTable* table : usable_reduce_tables()) {
            for (const xcclDataType_t type : types) {
                for (const std::size_t source_count : {2, 4, 8}) {
                    const Case c{table->name, type, source_count, bytes};
                    const std::string name =
                        std::string("sum/") + table->name + "/" + datatype_name(type) +
                        "/sources:" + std::to_string(source_count) + "/" + std::to_string(bytes);
                    benchmark::RegisterBenchmark(name.c_str(), run_reduce, c);
                }
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    register_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
