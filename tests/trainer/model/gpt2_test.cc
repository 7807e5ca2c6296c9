// Goal: the model's gradients are those of its loss; the fast model agrees with the reference; its
// results depend on nothing but its arguments; ranges are announced in order and final; generation
// sees what training sees.
// Method: central differences in double for every parameter of a tiny model; relative norms per
// tensor between fast float and reference double; bits compared across threads and repetitions.
#include "model/gpt2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

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
            {{256, 64, 2, 4, 64}, 4, 64},
            {{509, 75, 2, 3, 99}, 2, 71},
            {{256, 130, 1, 2, 136}, 2, 130}};
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

TEST(Gpt2, GivesTheSameBitsOnAnyNumberOfThreads) {
    const Gpt2Config config{509, 100, 2, 3, 99};
    const RandomBatch batch(config, 3, 97, 5);
    const auto parameters = random_parameters<float>(ParameterLayout(config), config.layer_count);
    const auto one = compute<FastOperators>(config, batch, 1, parameters);
    for (const std::size_t threads : {2, 3, 7}) {
        const auto several = compute<FastOperators>(config, batch, threads, parameters);
        EXPECT_EQ(several.loss, one.loss);
        EXPECT_EQ(several.gradients, one.gradients) << threads << " threads";
    }
}

// Buckets may be sent as soon as they are announced: nothing of them changes afterwards, and
// nothing is left out.
TEST(Gpt2, AnnouncedRangesAreFinalAndInOrder) {
    const Gpt2Config config = tiny_config();
    const RandomBatch batch(config, 2, 7, 6);
    ThreadPool pool(2);
    Gpt2 model(config, batch.tokens.size(), pool);
    const auto parameters = random_parameters<float>(model.layout(), config.layer_count);
    std::vector<float> gradients(parameters.size(), NAN);
    std::vector<float> announced;
    std::size_t calls = 0;
    model.forward(parameters, batch.view());
    model.backward(parameters, gradients, [&](std::size_t first, std::size_t count) {
        EXPECT_EQ(first, announced.size());
        EXPECT_GT(count, 0U);
        const float* const begin = gradients.data() + first;
        announced.insert(announced.end(), begin, begin + count);
        ++calls;
    });
    EXPECT_EQ(announced, gradients);
    EXPECT_GT(calls, 4 * config.layer_count);
}

// The mean over a batch is the mean over its halves: what data parallel training builds on.
TEST(Gpt2, GradientsOfHalvesAverageToThoseOfTheWhole) {
    const Gpt2Config config = tiny_config();
    const RandomBatch whole(config, 4, 7, 7);
    const auto parameters = random_parameters<double>(ParameterLayout(config), config.layer_count);
    ThreadPool pool(1);
    Transformer<ReferenceOperators<double>> model(config, whole.tokens.size(), pool);
    std::vector<double> expected(parameters.size());
    const double loss = model.forward(parameters, whole.view());
    model.backward(parameters, expected, nullptr);
    std::vector<double> sum(parameters.size());
    std::vector<double> gradients(parameters.size());
    double losses = 0;
    for (const std::size_t half : {0, 1}) {
        const Batch part{std::span(whole.tokens).subspan(half * 14, 14),
                         std::span(whole.targets).subspan(half * 14, 14), 2, 7};
        losses += model.forward(parameters, part);
        model.backward(parameters, gradients, nullptr);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradients[i] / 2;
    }
    EXPECT_NEAR(losses / 2, loss, 1e-12);
    EXPECT_LT(relative_distance(std::span<const double>(sum), std::span<const double>(expected)),
              1e-12);
}

// -log softmax(logits)[token]
double loss_of(const std::vector<float>& logits, Token token) {
    const double most = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float logit : logits) sum += std::exp(double{logit} - most);
    return std::log(sum) + most - double{logits[token]};
}

// The loss over a sequence is the mean of the losses of its prefixes' next tokens, each of which
// generation would compute from the prefix alone: so no token sees what follows it.
TEST(Gpt2, GenerationSeesWhatTrainingSees) {
    const Gpt2Config config{61, 70, 2, 2, 32};
    const RandomBatch batch(config, 1, 70, 8);
    ThreadPool pool(2);
    Gpt2 model(config, 70, pool);
    const auto parameters = random_parameters<float>(model.layout(), config.layer_count);
    const double loss = model.forward(parameters, batch.view());
    double sum = 0;
    std::vector<float> logits(config.vocabulary_size);
    for (std::size_t length = 1; length <= 70; ++length) {
        model.next_token_logits(parameters, std::span(batch.tokens).first(length), logits);
        sum += loss_of(logits, batch.targets[length - 1]);
    }
    EXPECT_NEAR(sum / 70, loss, 1e-5);
}

TEST(Gpt2, StartsAtTheLossOfGuessing) {
    const Gpt2Config config{256, 64, 4, 4, 64};
    const RandomBatch batch(config, 4, 64, 9);
    ThreadPool pool(2);
    Gpt2 model(config, batch.tokens.size(), pool);
    std::vector<float> parameters(model.layout().count());
    initialise_parameters<float>(model.layout(), config.layer_count, 1, parameters);
    EXPECT_NEAR(model.forward(parameters, batch.view()), std::log(256), 0.05);
    std::fill(parameters.begin(), parameters.end(), 0.0F);
    EXPECT_NEAR(model.forward(parameters, batch.view()), std::log(256), 1e-6);
}

}  // namespace
}  // namespace xccl::trainer
