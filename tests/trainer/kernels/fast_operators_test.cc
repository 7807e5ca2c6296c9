// Goal: the fast operators agree with the references for every instruction set that this processor
// has, at shapes that fit no vector, panel or block; they give the same bits on any number of
// threads; and a fault in any of them would be noticed.
// Method: outputs and gradients in float beside the reference in double, by relative norm.
#include "kernels/fast_operators.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/reference_operators.h"
#include "tests/trainer/kernels/operator_cases.h"

namespace xccl::trainer {
namespace {

// A few units in the last place of a float: sums of hundreds of rounded terms.
constexpr double kBound = 2e-6;

// Around the edges of panels (4, 6, 14 rows; 8, 16, 32 columns), of blocks (256 deep, 64 rows of a
// sum, 60 queries) and of tiles (112 rows, 256 columns).
const auto kCases = std::make_tuple(
    MatmulCase{{1, 1, 1}}, MatmulCase{{1, 300, 257}}, MatmulCase{{13, 7, 31}},
    MatmulCase{{15, 33, 34}}, MatmulCase{{130, 65, 300}}, MatmulCase{{270, 257, 47}},
    MatmulCase{{56, 512, 64}}, LayernormCase{1, 1 + 2}, LayernormCase{67, 64},
    LayernormCase{130, 131}, LayernormCase{33, 15}, AttentionCase{{1, 1, 4}, 1},
    AttentionCase{{2, 17, 30}, 2}, AttentionCase{{1, 70, 33}, 3}, AttentionCase{{2, 129, 128}, 2},
    AttentionCase{{1, 300, 40}, 1}, GeluCase{1}, GeluCase{16400}, EmbeddingCase{{2, 5, 7}, 11},
    EmbeddingCase{{3, 33, 130}, 19}, CrossEntropyCase{1, 2}, CrossEntropyCase{65, 257});

struct Compared {
    std::string what;
    Array fast;
    Array exact;
};

// Outputs and gradients of a case, by both.
template <typename Case>
std::vector<Compared> compare(const Case& c, const KernelTable& kernels) {
    ThreadPool pool(2);
    FastOperators fast_operators(pool, kernels);
    ReferenceOperators<double> reference(pool);
    const Arrays inputs = random_inputs(c.input_sizes());
    const Array weights = random_array(c.output_size(), 99);
    const OperatorResult fast = c.run(fast_operators, inputs, weights);
    const OperatorResult exact = c.run(reference, inputs, weights);
    const std::string name = c.name() + ", " + kernels.name;
    std::vector<Compared> all = {{name + ", output", fast.output, exact.output}};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        all.push_back(
            {name + ", gradient " + std::to_string(i), fast.gradients[i], exact.gradients[i]});
    }
    return all;
}

// Arrays that are zero (the gradient of the only score's key) are compared with 1 instead.
double distance_of(const Compared& pair) {
    Array fast = pair.fast;
    Array exact = pair.exact;
    fast.push_back(1e-3);
    exact.push_back(1e-3);
    return distance(fast, exact);
}

TEST(FastOperators, AgreeWithReferences) {
    for (const KernelTable* kernels : usable_kernel_tables()) {
        for_each_case(kCases, [&](const auto& c) {
            for (const Compared& pair : compare(c, *kernels)) {
                EXPECT_LT(distance_of(pair), kBound) << pair.what;
            }
        });
    }
}

TEST(FastOperators, AFaultInAnyArrayIsNoticed) {
    for_each_case(kCases, [&](const auto& c) {
        for (Compared& pair : compare(c, best_kernel_table())) {
            pair.fast[pair.fast.size() / 2] += 0.01 * root_mean_square(pair.exact);
            EXPECT_GT(distance_of(pair), kBound) << pair.what;
        }
    });
}

TEST(FastOperators, GiveTheSameBitsOnAnyNumberOfThreads) {
    for_each_case(kCases, [&](const auto& c) {
        const Arrays inputs = random_inputs(c.input_sizes());
        const Array weights = random_array(c.output_size(), 99);
        OperatorResult first;
        for (const std::size_t threads : {1, 2, 3, 5}) {
            ThreadPool pool(threads);
            FastOperators operators(pool);
            const OperatorResult result = c.run(operators, inputs, weights);
            if (threads == 1) first = result;
            EXPECT_EQ(result.output, first.output) << c.name() << ", " << threads << " threads";
            EXPECT_EQ(result.gradients, first.gradients)
                << c.name() << ", " << threads << " threads";
        }
    });
}

// A NaN is not lost in a maximum or a clamp on its way to the loss.
TEST(FastOperators, PassNanOn) {
    for (const KernelTable* kernels : usable_kernel_tables()) {
        ThreadPool pool(1);
        FastOperators operators(pool, *kernels);
        const CrossEntropyCase loss{3, 20};
        Arrays logits = random_inputs(loss.input_sizes());
        logits[0][33] = NAN;
        EXPECT_TRUE(std::isnan(loss.run(operators, logits, {1}).output[0])) << kernels->name;
        const GeluCase gelu{20};
        Arrays x = random_inputs(gelu.input_sizes());
        x[0][5] = NAN;
        const OperatorResult result = gelu.run(operators, x, random_array(20, 1));
        EXPECT_TRUE(std::isnan(result.output[5])) << kernels->name;
        EXPECT_TRUE(std::isnan(result.gradients[0][5])) << kernels->name;
        EXPECT_FALSE(std::isnan(result.output[6])) << kernels->name;
    }
}

// Logits so far apart that a softmax that did not subtract the largest would overflow.
TEST(FastOperators, LargeLogitsGiveTheirLoss) {
    for (const KernelTable* kernels : usable_kernel_tables()) {
        ThreadPool pool(1);
        FastOperators operators(pool, *kernels);
        std::vector<float> logits = {1000, -1000, 0};
        std::vector<float> losses(1);
        const std::vector<Token> targets = {1};
        operators.cross_entropy({logits.data(), losses.data(), targets.data(), 1, 3});
        EXPECT_FLOAT_EQ(losses[0], 2000) << kernels->name;
        EXPECT_FLOAT_EQ(logits[0], 1) << kernels->name;
        EXPECT_FLOAT_EQ(logits[1], -1) << kernels->name;
        EXPECT_NEAR(logits[2], 0, 1e-30) << kernels->name;
    }
}

TEST(FastOperators, AdamwAgreesWithReference) {
    constexpr std::size_t kCount = 1000 + 7;
    for (const KernelTable* kernels : usable_kernel_tables()) {
        ThreadPool pool(2);
        FastOperators fast(pool, *kernels);
        ReferenceOperators<double> reference(pool);
        Arrays exact = random_inputs({kCount, kCount, kCount, kCount});
        for (double& second : exact[2]) second = std::abs(second);
        std::vector<std::vector<float>> rounded;
        for (const Array& array : exact) rounded.push_back(from_double<float>(array));
        for (int step = 1; step <= 10; ++step) {
            const AdamwCoefficients coefficients{
                .learning_rate = 1e-2F,
                .beta1 = 0.9F,
                .beta2 = 0.95F,
                .correction1 = static_cast<float>(1 - std::pow(0.9, step)),
                .correction2 = static_cast<float>(1 - std::pow(0.95, step)),
                .epsilon = 1e-8F,
                .weight_decay = 0.1F,
                .gradient_scale = 0.5F};
            fast.adamw({rounded[0].data(), rounded[1].data(), rounded[2].data(), rounded[3].data(),
                        kCount, coefficients});
            reference.adamw({exact[0].data(), exact[1].data(), exact[2].data(), exact[3].data(),
                             kCount, coefficients});
        }
        for (std::size_t i = 0; i < exact.size(); ++i) {
            EXPECT_LT(distance(to_double(rounded[i]), exact[i]), kBound)
                << kernels->name << ", array " << i;
        }
    }
}

}  // namespace
}  // namespace xccl::trainer
