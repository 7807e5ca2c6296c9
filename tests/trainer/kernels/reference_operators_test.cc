// Goal: each reference operator's backward is the derivative of its forward, and this test would
// notice if it were not.
// Method: central differences in double for every input of every operator, compared by relative
// norm; then the same comparison with one element of each gradient made wrong must fail.
#include "kernels/reference_operators.h"

#include <gtest/gtest.h>

#include "tests/trainer/kernels/operator_cases.h"

namespace xccl::trainer {
namespace {

constexpr double kBound = 1e-7;

const auto kCases = std::make_tuple(
    MatmulCase{{3, 5, 4}}, LayernormCase{4, 6}, AttentionCase{{2, 5, 6}, 2},
    AttentionCase{{1, 4, 3}, 1}, GeluCase{9}, EmbeddingCase{{2, 4, 3}, 5}, CrossEntropyCase{4, 7});

template <typename Case>
double value_of(const Case& c, ReferenceOperators<double>& operators, const Arrays& inputs,
                const Array& weights) {
    const Array output = c.run(operators, inputs, weights).output;
    double sum = 0;
    for (std::size_t i = 0; i < output.size(); ++i) sum += weights[i] * output[i];
    return sum;
}

template <typename Case>
Arrays central_differences(const Case& c, ReferenceOperators<double>& operators, Arrays inputs,
                           const Array& weights) {
    constexpr double kStep = 1e-5;
    Arrays differences = inputs;
    for (std::size_t array = 0; array < inputs.size(); ++array) {
        for (std::size_t i = 0; i < inputs[array].size(); ++i) {
            const double before = inputs[array][i];
            inputs[array][i] = before + kStep;
            const double above = value_of(c, operators, inputs, weights);
            inputs[array][i] = before - kStep;
            const double below = value_of(c, operators, inputs, weights);
            inputs[array][i] = before;
            differences[array][i] = (above - below) / (2 * kStep);
        }
    }
    return differences;
}

TEST(ReferenceOperators, BackwardIsTheDerivativeOfForward) {
    ThreadPool pool(1);
    ReferenceOperators<double> operators(pool);
    for_each_case(kCases, [&](const auto& c) {
        const Arrays inputs = random_inputs(c.input_sizes());
        const Array weights = random_array(c.output_size(), 99);
        const Arrays differences = central_differences(c, operators, inputs, weights);
        const Arrays gradients = c.run(operators, inputs, weights).gradients;
        for (std::size_t array = 0; array < inputs.size(); ++array) {
            EXPECT_LT(distance(gradients[array], differences[array]), kBound)
                << c.name() << ", input " << array;
        }
    });
}

TEST(ReferenceOperators, AFaultInAnyElementOfAGradientIsNoticed) {
    ThreadPool pool(1);
    ReferenceOperators<double> operators(pool);
    for_each_case(kCases, [&](const auto& c) {
        const Arrays inputs = random_inputs(c.input_sizes());
        const Array weights = random_array(c.output_size(), 99);
        const Arrays differences = central_differences(c, operators, inputs, weights);
        Arrays gradients = c.run(operators, inputs, weights).gradients;
        for (std::size_t array = 0; array < inputs.size(); ++array) {
            const double fault = 1e-3 * root_mean_square(gradients[array]);
            for (double& element : gradients[array]) {
                const double right = element;
                element = right + fault;
                EXPECT_GT(distance(gradients[array], differences[array]), kBound) << c.name();
                element = right;
            }
        }
    });
}

// With beta 0 and no decay a step is the gradient's sign; with a learning rate of 0 it is nothing.
TEST(ReferenceOperators, AdamwTakesTheStepsItIsDefinedBy) {
    ThreadPool pool(1);
    ReferenceOperators<double> operators(pool);
    std::vector<double> parameters = {1, -2, 3};
    std::vector<double> first(3);
    std::vector<double> second(3);
    const std::vector<double> gradients = {4, -0.5, 0};
    AdamwCoefficients coefficients{.learning_rate = 0.25F,
                                   .beta1 = 0,
                                   .beta2 = 0,
                                   .correction1 = 1,
                                   .correction2 = 1,
                                   .epsilon = 1e-30F,
                                   .weight_decay = 0,
                                   .gradient_scale = 0.5F};
    const auto step = [&] {
        operators.adamw(
            {parameters.data(), first.data(), second.data(), gradients.data(), 3, coefficients});
    };
    step();
    EXPECT_EQ(parameters, (std::vector<double>{0.75, -1.75, 3}));
    EXPECT_EQ(first, (std::vector<double>{2, -0.25, 0}));
    EXPECT_EQ(second, (std::vector<double>{4, 0.0625, 0}));
    coefficients.learning_rate = 0;
    step();
    EXPECT_EQ(parameters, (std::vector<double>{0.75, -1.75, 3}));
    coefficients.learning_rate = 0.5F;
    coefficients.weight_decay = 0.5F;
    coefficients.gradient_scale = 0;
    step();
    EXPECT_EQ(parameters, (std::vector<double>{0.75 * 0.75, -1.75 * 0.75, 2.25}));
}

}  // namespace
}  // namespace xccl::trainer
