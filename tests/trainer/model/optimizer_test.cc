// Goal: the optimizer's step is AdamW's on every tensor, with decay where it belongs; its norm is
// that of the whole array and its additions are plain; a model learns with it; and a training step
// allocates nothing once two have been made.
// Method: the reference beside it, tensor by tensor; every allocation of the program counted.
#include "model/optimizer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>

#include "kernels/reference_operators.h"
#include "tests/trainer/model/small_models.h"

namespace {
std::atomic<std::size_t> allocations{0};

void* allocate(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    void* const memory =
        std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t bytes) {
    return allocate(bytes + 1, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes + 1, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace xccl::trainer {
namespace {

std::vector<float> random_gradients(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> gradients(count);
    for (float& gradient : gradients) gradient = normal(random);
    return gradients;
}

// More than one block of 65,536 elements, and tensors that span their borders.
Gpt2Config two_blocks() {
    return {256, 64, 2, 2, 72};
}

TEST(Optimizer, StepsAsAdamwOnEveryTensor) {
    const ParameterLayout layout(two_blocks());
    ASSERT_GT(layout.count(), 65536U);
    ThreadPool pool(3);
    Optimizer optimizer(layout, pool);
    ReferenceOperators<double> reference(pool);
    std::vector<float> parameters = random_gradients(layout.count(), 1);
    std::vector<double> exact(parameters.begin(), parameters.end());
    std::vector<double> first(exact.size());
    std::vector<double> second(exact.size());
    const AdamwSettings settings{.learning_rate = 0.01F, .weight_decay = 0.5F};
    for (std::size_t step = 1; step <= 3; ++step) {
        const std::vector<float> gradients = random_gradients(layout.count(), step + 1);
        const std::vector<double> wide(gradients.begin(), gradients.end());
        optimizer.step(settings, step, 0.5F, parameters, gradients);
        for (const Tensor& tensor : layout.tensors()) {
            const auto correction = [&](float beta) {
                return static_cast<float>(1 - std::pow(double{beta}, double(step)));
            };
            reference.adamw(
                {exact.data() + tensor.offset,
                 first.data() + tensor.offset,
                 second.data() + tensor.offset,
                 wide.data() + tensor.offset,
                 tensor.count,
                 {settings.learning_rate, settings.beta1, settings.beta2,
                  correction(settings.beta1), correction(settings.beta2), settings.epsilon,
                  tensor.shape.size() > 1 ? settings.weight_decay : 0.0F, 0.5F}});
        }
    }
    for (const Tensor& tensor : layout.tensors()) {
        const auto part = [&]<typename T>(const std::vector<T>& all) {
            return std::span<const T>(all).subspan(tensor.offset, tensor.count);
        };
        EXPECT_LT(relative_distance(part(parameters), part(exact)), 1e-6) << tensor.name;
    }
}

TEST(Optimizer, NormIsOfTheWholeArrayOnAnyNumberOfThreads) {
    const ParameterLayout layout(two_blocks());
    std::vector<float> gradients = random_gradients(layout.count(), 1);
    double squares = 0;
    for (const float gradient : gradients) squares += double{gradient} * double{gradient};
    double norm = 0;
    for (const std::size_t threads : {1, 2, 5}) {
        ThreadPool pool(threads);
        Optimizer optimizer(layout, pool);
        if (threads == 1) norm = optimizer.norm(gradients);
        EXPECT_EQ(optimizer.norm(gradients), norm);
    }
    EXPECT_NEAR(norm, std::sqrt(squares), 1e-12 * norm);
    ThreadPool pool(2);
    Optimizer optimizer(layout, pool);
    gradients.back() = NAN;
    EXPECT_TRUE(std::isnan(optimizer.norm(gradients)));
    gradients.back() = INFINITY;
    EXPECT_TRUE(std::isinf(optimizer.norm(gradients)));
}

TEST(Optimizer, AccumulatesByPlainAddition) {
    const ParameterLayout layout(two_blocks());
    ThreadPool pool(2);
    Optimizer optimizer(layout, pool);
    const std::vector<float> a = random_gradients(layout.count(), 1);
    const std::vector<float> b = random_gradients(layout.count(), 2);
    std::vector<float> sum = a;
    optimizer.accumulate(sum, b);
    for (std::size_t i = 0; i < sum.size(); ++i) ASSERT_EQ(sum[i], a[i] + b[i]);
}

// A batch learnt by heart: the loss falls to a small part of that of guessing.
TEST(Optimizer, TeachesAModelItsBatch) {
    const Gpt2Config config{64, 16, 2, 2, 32};
    const RandomBatch batch(config, 4, 16, 1);
    ThreadPool pool(2);
    Gpt2 model(config, batch.tokens.size(), pool);
    Optimizer optimizer(model.layout(), pool);
    std::vector<float> parameters(model.layout().count());
    std::vector<float> gradients(parameters.size());
    initialise_parameters<float>(model.layout(), config.layer_count, 1, parameters);
    double loss = 0;
    std::size_t allocated = 0;
    for (std::size_t step = 1; step <= 150; ++step) {
        if (step == 3) allocated = allocations.load();
        loss = model.forward(parameters, batch.view());
        model.backward(parameters, gradients, nullptr);
        const double norm = optimizer.norm(gradients);
        optimizer.step({.learning_rate = 3e-3F, .weight_decay = 0}, step,
                       static_cast<float>(std::min(1.0, 1.0 / norm)), parameters, gradients);
    }
    EXPECT_EQ(allocations.load(), allocated) << "memory was allocated after step 2";
    EXPECT_LT(loss, 0.1);
}

}  // namespace
}  // namespace xccl::trainer
