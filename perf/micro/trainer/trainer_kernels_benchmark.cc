// Question: what share of a core's multiply-adds do the trainer's products reach, and what do its
// other operators and a whole step cost beside them?
//
// Method: the products of GPT-2 blocks of 128 to 384 channels at 1,024 and 2,048 tokens, each with
// its packing, on one thread; the limit is a loop of independent multiply-adds in registers, in the
// same run. Operands are random and larger together than the second-level cache. `peak` is the
// share of that limit. Results are checked where they are tested (tests/trainer), not here.
//
//     trainer_kernels_benchmark --benchmark_repetitions=5 --benchmark_report_aggregates_only
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "kernels/fast_operators.h"
#include "model/gpt2.h"
#include "model/optimizer.h"
#include "perf/micro/trainer/multiply_add_limit.h"

namespace {

using namespace xccl::trainer;

std::vector<float> random_floats(std::size_t count) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(count);
    for (float& value : values) value = uniform(random);
    return values;
}

// Adds the rate, and its share of what one core can do.
void report_flops(benchmark::State& state, double flops) {
    const double done = flops * static_cast<double>(state.iterations());
    state.counters["flops"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
    state.counters["peak"] =
        benchmark::Counter(done / multiply_add_limit(), benchmark::Counter::kIsRate);
}

enum class Pass { kForward, kInput, kWeight };

void product(benchmark::State& state, Pass pass, const KernelTable* kernels, MatmulShape shape) {
    ThreadPool pool(1);
    FastOperators operators(pool, *kernels);
    std::vector<float> input = random_floats(shape.rows * shape.inputs);
    std::vector<float> weight = random_floats(shape.outputs * shape.inputs);
    std::vector<float> output = random_floats(shape.rows * shape.outputs);
    std::vector<float> bias = random_floats(shape.outputs);
    for ([[maybe_unused]] auto _ : state) {
        if (pass == Pass::kForward) {
            operators.matmul_forward(
                {output.data(), input.data(), weight.data(), bias.data(), nullptr, shape});
        } else if (pass == Pass::kInput) {
            operators.matmul_backward_input({input.data(), output.data(), weight.data(), shape});
        } else {
            operators.matmul_backward_weight(
                {weight.data(), bias.data(), output.data(), input.data(), shape});
        }
        benchmark::ClobberMemory();
    }
    report_flops(state, 2.0 * static_cast<double>(shape.rows) * static_cast<double>(shape.inputs) *
                            static_cast<double>(shape.outputs));
}

// Causal attention: half of T x T, two products forward and five backward.
void attention(benchmark::State& state, bool backward, SequenceShape shape,
               std::size_t head_count) {
    ThreadPool pool(1);
    FastOperators operators(pool);
    const std::size_t elements = shape.rows() * shape.channel_count;
    std::vector<float> qkv = random_floats(3 * elements);
    std::vector<float> d_qkv(3 * elements);
    std::vector<float> output(elements);
    std::vector<float> d_output = random_floats(elements);
    std::vector<float> log_sum(shape.rows() * head_count);
    operators.attention_forward({output.data(), log_sum.data(), qkv.data(), head_count, shape});
    for ([[maybe_unused]] auto _ : state) {
        if (backward) {
            operators.attention_backward({d_qkv.data(), d_output.data(), output.data(),
                                          log_sum.data(), qkv.data(), head_count, shape});
        } else {
            operators.attention_forward(
                {output.data(), log_sum.data(), qkv.data(), head_count, shape});
        }
        benchmark::ClobberMemory();
    }
    report_flops(state, (backward ? 5.0 : 2.0) * static_cast<double>(shape.rows()) *
                            static_cast<double>(shape.length * shape.channel_count));
}

void gelu(benchmark::State& state, bool backward) {
    ThreadPool pool(1);
    FastOperators operators(pool);
    const std::size_t count = 1 << 20;
    std::vector<float> input = random_floats(count);
    std::vector<float> output(count);
    for ([[maybe_unused]] auto _ : state) {
        if (backward) {
            operators.gelu_backward({output.data(), output.data(), input.data(), count});
        } else {
            operators.gelu_forward({output.data(), input.data(), count});
        }
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

// A training step: forward, backward, norm and AdamW. By CPU time of all threads, so that
// neighbours on the machine do not count, nor does waiting: `peak` is the share of one core.
void training_step(benchmark::State& state, Gpt2Config config, std::size_t sequence_count,
                   std::size_t thread_count) {
    ThreadPool pool(thread_count);
    Gpt2 model(config, sequence_count * config.context_length, pool);
    Optimizer optimizer(model.layout(), pool);
    std::vector<float> parameters(model.layout().count());
    std::vector<float> gradients(parameters.size());
    initialise_parameters<float>(model.layout(), config.layer_count, 1, parameters);
    std::vector<Token> tokens(sequence_count * config.context_length);
    std::mt19937 random(1);
    for (Token& token : tokens) token = static_cast<Token>(random() % config.vocabulary_size);
    std::size_t step = 0;
    for ([[maybe_unused]] auto _ : state) {
        model.forward(parameters, {tokens, tokens, sequence_count, config.context_length});
        model.backward(parameters, gradients, nullptr);
        benchmark::DoNotOptimize(optimizer.norm(gradients));
        optimizer.step({}, ++step, 1.0F, parameters, gradients);
    }
    const auto count = static_cast<double>(tokens.size());
    report_flops(state, flops_per_token(config, config.context_length) * count);
    state.counters["tokens"] = benchmark::Counter(count * static_cast<double>(state.iterations()),
                                                  benchmark::Counter::kIsRate);
}

void limit(benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(run_multiply_adds());
    state.counters["flops"] =
        benchmark::Counter(multiply_adds_flops() * static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate);
}

void register_products(const KernelTable* kernels) {
    const std::pair<const char*, Pass> passes[] = {
        {"forward", Pass::kForward}, {"input", Pass::kInput}, {"weight", Pass::kWeight}};
    const MatmulShape shapes[] = {{1024, 128, 384},  {1024, 128, 512}, {1024, 512, 128},
                                  {1024, 128, 256},  {2048, 256, 768}, {2048, 256, 1024},
                                  {2048, 1024, 256}, {2048, 384, 384}, {2048, 384, 1536},
                                  {2048, 1536, 384}};
    for (const auto& [pass_name, pass] : passes) {
        for (const MatmulShape& shape : shapes) {
            const std::string name = std::string("product/") + kernels->name + "/" + pass_name +
                                     "/" + std::to_string(shape.rows) + "x" +
                                     std::to_string(shape.inputs) + "x" +
                                     std::to_string(shape.outputs);
            benchmark::RegisterBenchmark(name.c_str(), product, pass, kernels, shape);
        }
    }
}

void register_all() {
    benchmark::RegisterBenchmark("limit/multiply_adds", limit);
    for (const KernelTable* kernels : usable_kernel_tables()) register_products(kernels);
    for (const bool backward : {false, true}) {
        const std::string pass = backward ? "backward" : "forward";
        benchmark::RegisterBenchmark(("attention/" + pass + "/8x128x128/4").c_str(), attention,
                                     backward, SequenceShape{8, 128, 128}, std::size_t{4});
        benchmark::RegisterBenchmark(("attention/" + pass + "/8x256x384/6").c_str(), attention,
                                     backward, SequenceShape{8, 256, 384}, std::size_t{6});
        benchmark::RegisterBenchmark(("gelu/" + pass).c_str(), gelu, backward);
    }
    const Gpt2Config small{256, 256, 4, 4, 128};
    const Gpt2Config large{256, 256, 6, 6, 384};
    for (const std::size_t threads : {1, 2}) {
        const std::string suffix = "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(("step/small" + suffix).c_str(), training_step, small,
                                     std::size_t{8}, threads)
            ->MeasureProcessCPUTime();
        benchmark::RegisterBenchmark(("step/large" + suffix).c_str(), training_step, large,
                                     std::size_t{8}, threads)
            ->MeasureProcessCPUTime();
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
