// Goal: the flat arrays have no gaps, begin with what backward finishes first, and the names,
// shapes and first values are GPT-2's; a wrong shape of a model is refused with what to do.
#include "model/parameter_layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "model/gpt2.h"

namespace xccl::trainer {
namespace {

TEST(ParameterLayout, CoversTheArrayWithoutGaps) {
    const ParameterLayout layout({.layer_count = 3});
    std::size_t next = 0;
    std::set<std::string> names;
    for (const Tensor& tensor : layout.tensors()) {
        EXPECT_EQ(tensor.offset, next) << tensor.name;
        std::size_t count = 1;
        for (const std::size_t extent : tensor.shape) count *= extent;
        EXPECT_EQ(tensor.count, count) << tensor.name;
        EXPECT_EQ(tensor.decays, tensor.shape.size() == 2) << tensor.name;
        EXPECT_TRUE(names.insert(tensor.name).second) << tensor.name;
        next += tensor.count;
    }
    EXPECT_EQ(layout.count(), next);
    EXPECT_EQ(layout.tensors().size(), 2 + 3 * 12 + 2);
}

TEST(ParameterLayout, IsThatOfGpt2) {
    // GPT-2 of 124M parameters, whose count is known.
    const ParameterLayout layout({.vocabulary_size = 50257,
                                  .context_length = 1024,
                                  .layer_count = 12,
                                  .head_count = 12,
                                  .channel_count = 768});
    EXPECT_EQ(layout.count(), 124439808U);
    const Tensor* const weight = layout.find("h.11.attn.c_attn.weight");
    ASSERT_NE(weight, nullptr);
    EXPECT_EQ(weight->shape, (std::vector<std::size_t>{2304, 768}));
    EXPECT_EQ(weight->offset, layout.block(11).attention_weight);
    EXPECT_EQ(layout.find("h.12.attn.c_attn.weight"), nullptr);
}

TEST(ParameterLayout, LaterLayersComeFirstAndEmbeddingsLast) {
    const ParameterLayout layout({.layer_count = 3});
    EXPECT_EQ(layout.tensors().front().name, "ln_f.weight");
    EXPECT_EQ(layout.tensors().back().name, "wte.weight");
    EXPECT_LT(layout.block(2).output_weight, layout.block(1).output_weight);
    EXPECT_EQ(layout.block(2).end, layout.block(1).output_weight);
    EXPECT_EQ(layout.block(0).end, layout.position_embedding());
}

double deviation(std::span<const float> values) {
    double squares = 0;
    for (const float value : values) squares += double{value} * double{value};
    return std::sqrt(squares / static_cast<double>(values.size()));
}

TEST(InitialiseParameters, AreGpt2sAndAFunctionOfTheSeed) {
    const Gpt2Config config{.layer_count = 2, .channel_count = 128};
    const ParameterLayout layout(config);
    const auto made_from = [&](std::uint64_t seed) {
        std::vector<float> parameters(layout.count());
        initialise_parameters<float>(layout, config.layer_count, seed, parameters);
        return parameters;
    };
    const std::vector<float> parameters = made_from(1);
    EXPECT_EQ(made_from(1), parameters);
    EXPECT_NE(made_from(2), parameters);
    for (const Tensor& tensor : layout.tensors()) {
        const auto values = std::span(parameters).subspan(tensor.offset, tensor.count);
        const double expected = !tensor.decays                           ? 0
                                : tensor.name.ends_with("c_proj.weight") ? 0.01
                                                                         : 0.02;
        if (tensor.decays) {
            EXPECT_NEAR(deviation(values), expected, 0.03 * expected) << tensor.name;
        } else {
            const bool is_weight = tensor.name.ends_with(".weight");
            EXPECT_EQ(values.front(), is_weight ? 1.0F : 0.0F) << tensor.name;
            EXPECT_EQ(values.back(), values.front()) << tensor.name;
        }
    }
}

TEST(Gpt2Config, WrongShapesAreRefusedWithWhatToDo) {
    EXPECT_EQ(problem_with({}), "");
    const std::pair<Gpt2Config, const char*> wrong[] = {
        {{.vocabulary_size = 0}, "vocabulary size is 0; choose 1 to 65536"},
        {{.vocabulary_size = 65537}, "vocabulary size is 65537"},
        {{.context_length = 0}, "context length"},
        {{.layer_count = 0}, "number of layers"},
        {{.head_count = 0}, "number of heads"},
        {{.channel_count = 0}, "number of channels"},
        {{.head_count = 6, .channel_count = 128}, "choose a multiple of the heads, as 132"},
    };
    for (const auto& [config, part] : wrong) {
        EXPECT_NE(problem_with(config).find(part), std::string::npos) << problem_with(config);
    }
}

TEST(Gpt2Config, FlopsAreThoseOfTheProducts) {
    // What is counted beside the products, norms and biases, is small in a model that is wide.
    const Gpt2Config config{1000, 512, 6, 8, 512};
    const double weights = 6 * 12.0 * 512 * 512 + 1000 * 512;
    const double attention = 6.0 * 2 * 256 * 512;  // scores and sums over 256 keys on average
    const double products = 2 * (weights + attention);
    EXPECT_NEAR(flops_per_token(config, 512) / (3 * products), 1, 0.01);
}

}  // namespace
}  // namespace xccl::trainer
