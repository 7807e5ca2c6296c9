// Every operator with its backward, as a function from arrays to arrays, so that one test can ask
// the same of all of them and of every way to compute them.
//
// A case gives its inputs' sizes and runs an operator of any kind on them. `gradients` are those of
// sum(weights * output) with respect to each input, as the operator's backward gives them.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/arguments.h"

namespace xccl::trainer {

using Array = std::vector<double>;
using Arrays = std::vector<Array>;

struct OperatorResult {
    Array output;
    Arrays gradients;  // one per input
};

// A random array of numbers that are exact in float.
inline Array random_array(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    Array values(count);
    for (double& value : values) value = normal(random);
    return values;
}

inline std::vector<Token> random_tokens(std::size_t count, std::size_t vocabulary_size) {
    std::mt19937_64 random(7);
    std::vector<Token> tokens(count);
    for (Token& token : tokens) token = static_cast<Token>(random() % vocabulary_size);
    return tokens;
}

template <typename T>
std::vector<T> from_double(const Array& values) {
    return {values.begin(), values.end()};
}
template <typename T>
Array to_double(const std::vector<T>& values, double minus = 0) {
    Array result(values.begin(), values.end());
    for (double& value : result) value -= minus;
    return result;
}

// What an operator must overwrite is poisoned; what it must add to begins with kThere.
template <typename T>
std::vector<T> poisoned(std::size_t count) {
    return std::vector<T>(count, std::numeric_limits<T>::quiet_NaN());
}
constexpr double kThere = 0.25;
template <typename T>
std::vector<T> occupied(std::size_t count) {
    return std::vector<T>(count, static_cast<T>(kThere));
}

struct MatmulCase {
    MatmulShape shape;
    std::string name() const {
        return "matmul " + std::to_string(shape.rows) + "x" + std::to_string(shape.inputs) + "x" +
               std::to_string(shape.outputs);
    }
    // input, weight, bias, residual
    std::vector<std::size_t> input_sizes() const {
        return {shape.rows * shape.inputs, shape.outputs * shape.inputs, shape.outputs,
                shape.rows * shape.outputs};
    }
    std::size_t output_size() const { return shape.rows * shape.outputs; }

    template <typename Operators>
    OperatorResult run(Operators& operators, const Arrays& inputs, const Array& weights) const {
        using T = typename Operators::Scalar;
        const auto x = from_double<T>(inputs[0]);
        const auto w = from_double<T>(inputs[1]);
        const auto bias = from_double<T>(inputs[2]);
        const auto residual = from_double<T>(inputs[3]);
        const auto d_y = from_double<T>(weights);
        auto y = poisoned<T>(output_size());
        auto d_x = poisoned<T>(x.size());
        auto d_w = poisoned<T>(w.size());
        auto d_bias = poisoned<T>(bias.size());
        operators.matmul_forward(
            {y.data(), x.data(), w.data(), bias.data(), residual.data(), shape});
        operators.matmul_backward_input({d_x.data(), d_y.data(), w.data(), shape});
        operators.matmul_backward_weight({d_w.data(), d_bias.data(), d_y.data(), x.data(), shape});
        return {to_double(y), {to_double(d_x), to_double(d_w), to_double(d_bias), weights}};
    }
};

struct LayernormCase {
    std::size_t rows;
    std::size_t channels;
    std::string name() const {
        return "layernorm " + std::to_string(rows) + "x" + std::to_string(channels);
    }
    // input, weight, bias
    std::vector<std::size_t> input_sizes() const { return {rows * channels, channels, channels}; }
    std::size_t output_size() const { return rows * channels; }

    template <typename Operators>
    OperatorResult run(Operators& operators, const Arrays& inputs, const Array& weights) const {
        using T = typename Operators::Scalar;
        const auto x = from_double<T>(inputs[0]);
        const auto w = from_double<T>(inputs[1]);
        const auto bias = from_double<T>(inputs[2]);
        const auto d_y = from_double<T>(weights);
        auto y = poisoned<T>(x.size());
        auto mean = poisoned<T>(rows);
        auto inverse = poisoned<T>(rows);
        auto d_x = occupied<T>(x.size());
        auto d_w = poisoned<T>(channels);
        auto d_bias = poisoned<T>(channels);
        operators.layernorm_forward({y.data(), mean.data(), inverse.data(), x.data(), w.data(),
                                     bias.data(), rows, channels});
        operators.layernorm_backward({d_x.data(), d_w.data(), d_bias.data(), d_y.data(), x.data(),
                                      w.data(), mean.data(), inverse.data(), rows, channels});
        return {to_double(y), {to_double(d_x, kThere), to_double(d_w), to_double(d_bias)}};
    }
};

struct AttentionCase {
    SequenceShape shape;
    std::size_t heads;
    std::string name() const {
        return "attention " + std::to_string(shape.sequence_count) + "x" +
               std::to_string(shape.length) + "x" + std::to_string(shape.channel_count) + "/" +
               std::to_string(heads);
    }
    std::vector<std::size_t> input_sizes() const {
        return {shape.rows() * 3 * shape.channel_count};
    }
    std::size_t output_size() const { return shape.rows() * shape.channel_count; }

    template <typename Operators>
    OperatorResult run(Operators& operators, const Arrays& inputs, const Array& weights) const {
        using T = typename Operators::Scalar;
        const auto qkv = from_double<T>(inputs[0]);
        const auto d_y = from_double<T>(weights);
        auto y = poisoned<T>(output_size());
        auto log_sum = poisoned<T>(shape.rows() * heads);
        auto d_qkv = poisoned<T>(qkv.size());
        operators.attention_forward({y.data(), log_sum.data(), qkv.data(), heads, shape});
        operators.attention_backward(
            {d_qkv.data(), d_y.data(), y.data(), log_sum.data(), qkv.data(), heads, shape});
        return {to_double(y), {to_double(d_qkv)}};
    }
};

struct GeluCase {
    std::size_t count;
    std::string name() const { return "gelu " + std::to_string(count); }
    std::vector<std::size_t> input_sizes() const { return {count}; }
    std::size_t output_size() const { return count; }

    template <typename Operators>
    OperatorResult run(Operators& operators, const Arrays& inputs, const Array& weights) const {
        using T = typename Operators::Scalar;
        auto x = from_double<T>(inputs[0]);
        for (T& value : x) value *= 3;  // both tails too
        auto y = poisoned<T>(count);
        auto gradient = from_double<T>(weights);
        operators.gelu_forward({y.data(), x.data(), count});
        operators.gelu_backward({gradient.data(), gradient.data(), x.data(), count});
        for (T& value : gradient) value *= 3;
        return {to_double(y), {to_double(gradient)}};
    }
};

struct EmbeddingCase {
    SequenceShape shape;
    std::size_t vocabulary_size;
    std::string name() const {
        return "embedding " + std::to_string(shape.rows()) + "x" +
               std::to_string(shape.channel_count);
    }
    std::size_t context_length() const { return shape.length + 2; }
    // token embedding, position embedding
    std::vector<std::size_t> input_sizes() const {
        return {vocabulary_size * shape.channel_count, context_length() * shape.channel_count};
    }
    std::size_t output_size() const { return shape.rows() * shape.channel_count; }

    template <typename Operators>
    OperatorResult run(Operators& operators, const Arrays& inputs, const Array& weights) const {
        using T = typename Operators::Scalar;
        const auto tokens = random_tokens(shape.rows(), vocabulary_size);
        const auto token_embedding = from_double<T>(inputs[0]);
        const auto position_embedding = from_double<T>(inputs[1]);
        const auto d_y = from_double<T>(weights);
        auto y = poisoned<T>(output_size());
        auto d_tokens = occupied<T>(token_embedding.size());
        auto d_positions = poisoned<T>(position_embedding.size());
        operators.embedding_forward(
            {y.data(), tokens.data(), token_embedding.data(), position_embedding.data(), shape});
        operators.embedding_backward({d_tokens.data(), d_positions.data(), d_y.data(),
                                      tokens.data(), context_length(), shape});
        return {to_double(y), {to_double(d_tokens, kThere), to_double(d_positions)}};
    }
};

// Its backward is for the mean of the losses, whatever the weights are.
struct CrossEntropyCase {
    std::size_t rows;
    std::size_t vocabulary_size;
    std::string name() const {
        return "cross_entropy " + std::to_string(rows) + "x" + std::to_string(vocabulary_size);
    }
    std::vector<std::size_t> input_sizes() const { return {rows * vocabulary_size}; }
    std::size_t output_size() const { return 1; }

    template <typename Operators>
    OperatorResult run(Operators& operators, const Arrays& inputs, const Array& weights) const {
        using T = typename Operators::Scalar;
        const auto targets = random_tokens(rows, vocabulary_size);
        auto logits = from_double<T>(inputs[0]);
        auto losses = poisoned<T>(rows);
        operators.cross_entropy(
            {logits.data(), losses.data(), targets.data(), rows, vocabulary_size});
        double mean = 0;
        for (const T loss : losses) mean += static_cast<double>(loss) / static_cast<double>(rows);
        Array gradient = to_double(logits);
        for (double& value : gradient) value *= weights[0];
        return {{mean}, {gradient}};
    }
};

inline Arrays random_inputs(const std::vector<std::size_t>& sizes) {
    Arrays inputs;
    for (const std::size_t size : sizes) inputs.push_back(random_array(size, inputs.size() + 1));
    return inputs;
}

// Calls test(case) for each case of a tuple.
template <typename Cases, typename Test>
void for_each_case(const Cases& cases, const Test& test) {
    std::apply([&](const auto&... one) { (test(one), ...); }, cases);
}

inline double root_mean_square(const Array& values) {
    double sum = 0;
    for (const double value : values) sum += value * value;
    return std::sqrt(sum / static_cast<double>(values.size()));
}

// ||a - b|| / ||b||; infinite if a holds a NaN.
inline double distance(const Array& a, const Array& b) {
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    const double relative = std::sqrt(difference / size);
    return std::isnan(relative) ? std::numeric_limits<double>::infinity() : relative;
}

}  // namespace xccl::trainer
