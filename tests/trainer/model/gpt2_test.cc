// Goal: the model's gradients are those of its loss; the fast model agrees with the reference; its
// results depend on nothing but its arguments; ranges are announced in order and final; generation
// sees what training sees.
// Method: central differences in double for every parameter of a tiny model; relative norms per
// tensor between fast float and reference double; bits compared across threads and repetitions.
#include "model/gpt2.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "tests/trainer/model/small_models.h"

namespace xccl::trainer {
namespace {

// What one training computation gives.
template <typename T>
struct Results {
    double loss = 0;
    std::vector<T> gradients;
};

template <typename Operators>
Results<typename Operators::Scalar> compute(
    const Gpt2Config& config, const RandomBatch& batch, std::size_t thread_count,
    const std::vector<typename Operators::Scalar>& parameters) {
    ThreadPool pool(thread_count);
    Transformer<Operators> model(config, batch.tokens.size(), pool);
    Results<typename Operators::Scalar> results;
    results.gradients.assign(parameters.size(), NAN);  // all must be written
    results.loss = model.forward(parameters, batch.view());
    model.backward(parameters, results.gradients, nullptr);
    return results;
}

TEST(Gpt2, GradientsAreThoseOfTheLoss) {
    using Reference = ReferenceOperators<double>;
    const Gpt2Config config = tiny_config();
    const RandomBatch batch(config, 2, 5, 3);
    ThreadPool pool(1);
    Transformer<Reference> model(config, batch.tokens.size(), pool);
    std::vector<double> parameters = random_parameters<double>(model.layout(), config.layer_count);
    const auto results = compute<Reference>(config, batch, 1, parameters);
    std::vector<double> differences(parameters.size());
    constexpr double kStep = 1e-5;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const double before = parameters[i];
        parameters[i] = before + kStep;
        const double above = model.forward(parameters, batch.view());
        parameters[i] = before - kStep;
        const double below = model.forward(parameters, batch.view());
        parameters[i] = before;
        differences[i] = (above - below) / (2 * kStep);
    }
    for (const Tensor& tensor : model.layout().tensors()) {
        const auto part = [&](const std::vector<double>& all) {
            return std::span<const double>(all).subspan(tensor.offset, tensor.count);
        };
        EXPECT_LT(relative_distance(part(results.gradients), part(differences)), 1e-6)
            << tensor.name;
    }
}

struct Case {
    Gpt2Config config;
    std::size_t sequence_count;
    std::size_t length;
};

// A tiny model, one whose sizes are multiples of everything, and odd sizes that span several blocks
// of every kind.
std::vector<Case> cases() {
    return {{tiny_config(), 3, 7},
            {{256, 64, 2, 4, 128}, 4, 64},
            {{509, 100, 3, 3, 99}, 3, 97},
            {{256, 130, 1, 2, 272}, 2, 130}};
}

TEST(Gpt2, FastAgreesWithReference) {
    for (const Case& c : cases()) {
        const RandomBatch batch(c.config, c.sequence_count, c.length, 4);
        const ParameterLayout layout(c.config);
        const auto parameters = random_parameters<float>(layout, c.config.layer_count);
        const auto exact = compute<ReferenceOperators<double>>(
            c.config, batch, 1, random_parameters<double>(layout, c.config.layer_count));
        const auto fast = compute<FastOperators>(c.config, batch, 2, parameters);
        EXPECT_NEAR(fast.loss, exact.loss, 1e-6 * exact.loss);
        for (const Tensor& tensor : layout.tensors()) {
            const auto part = [&]<typename T>(const std::vector<T>& all) {
                return std::span<const T>(all).subspan(tensor.offset, tensor.count);
            };
            EXPECT_LT(relative_distance(part(fast.gradients), part(exact.gradients)), 5e-6)
                << tensor.name << " of " << c.config.channel_count << " channels";
        }
    }
}

}  // namespace
}  // namespace xccl::trainer
