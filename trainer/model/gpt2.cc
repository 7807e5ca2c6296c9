#include "model/gpt2.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "model/activations.h"

namespace xccl::trainer {

template <typename Operators>
struct Transformer<Operators>::State {
    State(const Gpt2Config& shape, std::size_t token_limit, ThreadPool& pool)
        : config(shape),
          layout(shape),
          operators(pool),
          limit(token_limit),
          arena(planned_elements(shape, token_limit)),
          activations(arena, shape, token_limit) {
        const std::size_t channels = config.channel_count;
        operators.reserve(MatmulShape{limit, channels, 4 * channels});
        operators.reserve(MatmulShape{limit, 4 * channels, channels});
        operators.reserve(MatmulShape{limit, channels, config.vocabulary_size});
        const std::size_t length = std::min(limit, config.context_length);
        operators.reserve(SequenceShape{1, length, channels}, config.head_count);
    }

    static std::size_t planned_elements(const Gpt2Config& shape, std::size_t token_limit) {
        Arena<Scalar> plan;
        [[maybe_unused]] const Activations<Scalar> planned(plan, shape, token_limit);
        return plan.taken();
    }

    std::size_t rows() const { return shape.rows(); }
    std::size_t channels() const { return config.channel_count; }

    void norm_forward(const Scalar* parameters, std::size_t weight, std::size_t bias,
                      const Scalar* input, const NormActivations<Scalar>& norm);
    void block_forward(const Scalar* parameters, std::size_t layer);
    void stream_forward(const Scalar* parameters, std::span<const Token> inputs);
    void linear_backward(const Scalar* parameters, Scalar* gradients, std::size_t weight,
                         std::size_t bias, const Scalar* d_output, const Scalar* input,
                         Scalar* d_input, const MatmulShape& product);
    void norm_backward(const Scalar* parameters, Scalar* gradients, std::size_t weight,
                       std::size_t bias, const Scalar* input, const NormActivations<Scalar>& norm);
    void head_backward(const Scalar* parameters, Scalar* gradients);
    void mlp_backward(const Scalar* parameters, Scalar* gradients, std::size_t layer);
    void attention_backward(const Scalar* parameters, Scalar* gradients, std::size_t layer);
    void embedding_backward(Scalar* gradients);
    void finish(std::size_t end);

    const Gpt2Config config;
    const ParameterLayout layout;
    Operators operators;
    const std::size_t limit;
    Arena<Scalar> arena;
    Activations<Scalar> activations;

    // Of the last forward().
    SequenceShape shape;
    std::span<const Token> tokens;

    // Of the backward() that runs.
    const GradientsFinished* on_finished = nullptr;
    std::size_t finished = 0;  // gradients before it are final
};

template <typename Operators>
Transformer<Operators>::Transformer(const Gpt2Config& config, std::size_t token_limit,
                                    ThreadPool& pool)
    : state_(std::make_unique<State>(config, token_limit, pool)) {}

template <typename Operators>
Transformer<Operators>::~Transformer() = default;

template <typename Operators>
const Gpt2Config& Transformer<Operators>::config() const {
    return state_->config;
}
template <typename Operators>
const ParameterLayout& Transformer<Operators>::layout() const {
    return state_->layout;
}
template <typename Operators>
std::size_t Transformer<Operators>::activation_bytes() const {
    return state_->arena.bytes();
}
template <typename Operators>
std::size_t Transformer<Operators>::workspace_bytes() const {
    return state_->operators.workspace_bytes();
}

// Forward.

template <typename Operators>
void Transformer<Operators>::State::norm_forward(const Scalar* parameters, std::size_t weight,
                                                 std::size_t bias, const Scalar* input,
                                                 const NormActivations<Scalar>& norm) {
    operators.layernorm_forward({.output = norm.output,
                                 .mean = norm.mean,
                                 .inverse_deviation = norm.inverse_deviation,
                                 .input = input,
                                 .weight = parameters + weight,
                                 .bias = parameters + bias,
                                 .rows = rows(),
                                 .channel_count = channels()});
}

template <typename Operators>
void Transformer<Operators>::State::block_forward(const Scalar* parameters, std::size_t layer) {
    const BlockOffsets& at = layout.block(layer);
    const BlockActivations<Scalar>& block = activations.blocks[layer];
    const std::size_t c = channels();
    const auto linear = [&](Scalar* output, const Scalar* input, std::size_t weight,
                            std::size_t bias, const Scalar* residual, std::size_t inputs,
                            std::size_t outputs) {
        operators.matmul_forward({output,
                                  input,
                                  parameters + weight,
                                  parameters + bias,
                                  residual,
                                  {rows(), inputs, outputs}});
    };
    const Scalar* const stream = activations.stream_before(layer);
    norm_forward(parameters, at.attention_norm_weight, at.attention_norm_bias, stream,
                 block.attention_norm);
    linear(block.qkv, block.attention_norm.output, at.attention_weight, at.attention_bias, nullptr,
           c, 3 * c);
    operators.attention_forward(
        {block.attended, block.log_sum, block.qkv, config.head_count, shape});
    linear(block.middle, block.attended, at.projection_weight, at.projection_bias, stream, c, c);

    norm_forward(parameters, at.hidden_norm_weight, at.hidden_norm_bias, block.middle,
                 block.hidden_norm);
    linear(block.hidden, block.hidden_norm.output, at.hidden_weight, at.hidden_bias, nullptr, c,
           4 * c);
    operators.gelu_forward({block.gelu, block.hidden, rows() * 4 * c});
    linear(block.end, block.gelu, at.output_weight, at.output_bias, block.middle, 4 * c, c);
}

// Everything up to the last block's end, for `shape`.
template <typename Operators>
void Transformer<Operators>::State::stream_forward(const Scalar* parameters,
                                                   std::span<const Token> inputs) {
    assert(rows() == inputs.size() && rows() > 0 && rows() <= limit);
    assert(shape.length <= config.context_length);
    assert(std::all_of(inputs.begin(), inputs.end(),
                       [&](Token token) { return token < config.vocabulary_size; }));
    tokens = inputs;
    operators.embedding_forward({activations.embedded, tokens.data(),
                                 parameters + layout.token_embedding(),
                                 parameters + layout.position_embedding(), shape});
    for (std::size_t layer = 0; layer < config.layer_count; ++layer) {
        block_forward(parameters, layer);
    }
}

template <typename Operators>
double Transformer<Operators>::forward(std::span<const Scalar> parameters, const Batch& batch) {
    State& s = *state_;
    assert(parameters.size() == s.layout.count() && batch.targets.size() == batch.tokens.size());
    s.shape = {batch.sequence_count, batch.length, s.channels()};
    s.stream_forward(parameters.data(), batch.tokens);
    s.norm_forward(parameters.data(), s.layout.final_norm_weight(), s.layout.final_norm_bias(),
                   s.activations.stream_at_end(), s.activations.final_norm);
    s.operators.matmul_forward({s.activations.logits,
                                s.activations.final_norm.output,
                                parameters.data() + s.layout.token_embedding(),
                                nullptr,
                                nullptr,
                                {s.rows(), s.channels(), s.config.vocabulary_size}});
    s.operators.cross_entropy({s.activations.logits, s.activations.losses, batch.targets.data(),
                               s.rows(), s.config.vocabulary_size});
    double sum = 0;
    for (std::size_t row = 0; row < s.rows(); ++row) {
        sum += static_cast<double>(s.activations.losses[row]);
    }
    return sum / static_cast<double>(s.rows());
}

template <typename Operators>
void Transformer<Operators>::next_token_logits(std::span<const Scalar> parameters,
                                               std::span<const Token> tokens,
                                               std::span<Scalar> logits) {
    State& s = *state_;
    assert(parameters.size() == s.layout.count() && logits.size() == s.config.vocabulary_size);
    s.shape = {1, tokens.size(), s.channels()};
    s.stream_forward(parameters.data(), tokens);
    const Scalar* const last = s.activations.stream_at_end() + (tokens.size() - 1) * s.channels();
    s.shape.length = 1;
    s.norm_forward(parameters.data(), s.layout.final_norm_weight(), s.layout.final_norm_bias(),
                   last, s.activations.final_norm);
    s.operators.matmul_forward({logits.data(),
                                s.activations.final_norm.output,
                                parameters.data() + s.layout.token_embedding(),
                                nullptr,
                                nullptr,
                                {1, s.channels(), s.config.vocabulary_size}});
}

// Backward. activations.d_stream holds the gradient of the residual stream at the point that has
// been reached: branches add to it.

// Gradients before `end` are final from now on.
template <typename Operators>
void Transformer<Operators>::State::finish(std::size_t end) {
    const std::size_t first = std::exchange(finished, end);
    if (on_finished != nullptr && *on_finished) (*on_finished)(first, end - first);
}

// The weight's gradient first: it can be on its way to other ranks while the input's is computed.
template <typename Operators>
void Transformer<Operators>::State::linear_backward(const Scalar* parameters, Scalar* gradients,
                                                    std::size_t weight, std::size_t bias,
                                                    const Scalar* d_output, const Scalar* input,
                                                    Scalar* d_input, const MatmulShape& product) {
    operators.matmul_backward_weight(
        {gradients + weight, gradients + bias, d_output, input, product});
    finish(bias + product.outputs);
    operators.matmul_backward_input({d_input, d_output, parameters + weight, product});
}

// From activations.d_narrow, the gradient of the norm's output.
template <typename Operators>
void Transformer<Operators>::State::norm_backward(const Scalar* parameters, Scalar* gradients,
                                                  std::size_t weight, std::size_t bias,
                                                  const Scalar* input,
                                                  const NormActivations<Scalar>& norm) {
    operators.layernorm_backward({.d_input = activations.d_stream,
                                  .d_weight = gradients + weight,
                                  .d_bias = gradients + bias,
                                  .d_output = activations.d_narrow,
                                  .input = input,
                                  .weight = parameters + weight,
                                  .mean = norm.mean,
                                  .inverse_deviation = norm.inverse_deviation,
                                  .rows = rows(),
                                  .channel_count = channels()});
    finish(bias + channels());
}

// The head's part of the tied embedding's gradient is written where the embedding's part will be
// added.
template <typename Operators>
void Transformer<Operators>::State::head_backward(const Scalar* parameters, Scalar* gradients) {
    const MatmulShape product{rows(), channels(), config.vocabulary_size};
    operators.matmul_backward_weight({gradients + layout.token_embedding(), nullptr,
                                      activations.logits, activations.final_norm.output, product});
    operators.matmul_backward_input(
        {activations.d_narrow, activations.logits, parameters + layout.token_embedding(), product});
    std::fill_n(activations.d_stream, rows() * channels(), Scalar(0));
    norm_backward(parameters, gradients, layout.final_norm_weight(), layout.final_norm_bias(),
                  activations.stream_at_end(), activations.final_norm);
}

template <typename Operators>
void Transformer<Operators>::State::mlp_backward(const Scalar* parameters, Scalar* gradients,
                                                 std::size_t layer) {
    const BlockOffsets& at = layout.block(layer);
    const BlockActivations<Scalar>& block = activations.blocks[layer];
    const std::size_t c = channels();
    linear_backward(parameters, gradients, at.output_weight, at.output_bias, activations.d_stream,
                    block.gelu, activations.d_wide, {rows(), 4 * c, c});
    operators.gelu_backward({activations.d_wide, activations.d_wide, block.hidden, rows() * 4 * c});
    linear_backward(parameters, gradients, at.hidden_weight, at.hidden_bias, activations.d_wide,
                    block.hidden_norm.output, activations.d_narrow, {rows(), c, 4 * c});
    norm_backward(parameters, gradients, at.hidden_norm_weight, at.hidden_norm_bias, block.middle,
                  block.hidden_norm);
}

template <typename Operators>
void Transformer<Operators>::State::attention_backward(const Scalar* parameters, Scalar* gradients,
                                                       std::size_t layer) {
    const BlockOffsets& at = layout.block(layer);
    const BlockActivations<Scalar>& block = activations.blocks[layer];
    const std::size_t c = channels();
    linear_backward(parameters, gradients, at.projection_weight, at.projection_bias,
                    activations.d_stream, block.attended, activations.d_narrow, {rows(), c, c});
    operators.attention_backward({activations.d_wide, activations.d_narrow, block.attended,
                                  block.log_sum, block.qkv, config.head_count, shape});
    linear_backward(parameters, gradients, at.attention_weight, at.attention_bias,
                    activations.d_wide, block.attention_norm.output, activations.d_narrow,
                    {rows(), c, 3 * c});
    norm_backward(parameters, gradients, at.attention_norm_weight, at.attention_norm_bias,
                  activations.stream_before(layer), block.attention_norm);
}

template <typename Operators>
void Transformer<Operators>::State::embedding_backward(Scalar* gradients) {
    operators.embedding_backward({.d_token_embedding = gradients + layout.token_embedding(),
                                  .d_position_embedding = gradients + layout.position_embedding(),
                                  .d_output = activations.d_stream,
                                  .tokens = tokens.data(),
                                  .context_length = config.context_length,
                                  .shape = shape});
    finish(layout.count());
}

template <typename Operators>
void Transformer<Operators>::backward(std::span<const Scalar> parameters,
                                      std::span<Scalar> gradients,
                                      const GradientsFinished& on_finished) {
    State& s = *state_;
    assert(parameters.size() == s.layout.count() && gradients.size() == s.layout.count());
    s.on_finished = &on_finished;
    s.finished = 0;
    s.head_backward(parameters.data(), gradients.data());
    for (std::size_t layer = s.config.layer_count; layer-- > 0;) {
        s.mlp_backward(parameters.data(), gradients.data(), layer);
        s.attention_backward(parameters.data(), gradients.data(), layer);
    }
    s.embedding_backward(gradients.data());
    s.on_finished = nullptr;
}

template class Transformer<FastOperators>;
template class Transformer<ReferenceOperators<float>>;
template class Transformer<ReferenceOperators<double>>;

}  // namespace xccl::trainer
