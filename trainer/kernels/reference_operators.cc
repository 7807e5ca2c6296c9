#include "kernels/reference_operators.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xccl::trainer {

template <typename T>
void ReferenceOperators<T>::embedding_forward(const EmbeddingForward<T>& a) {
    const std::size_t channels = a.shape.channel_count;
    for (std::size_t row = 0; row < a.shape.rows(); ++row) {
        const std::size_t t = row % a.shape.length;
        for (std::size_t c = 0; c < channels; ++c) {
            a.output[row * channels + c] = a.token_embedding[a.tokens[row] * channels + c] +
                                           a.position_embedding[t * channels + c];
        }
    }
}

template <typename T>
void ReferenceOperators<T>::embedding_backward(const EmbeddingBackward<T>& a) {
    const std::size_t channels = a.shape.channel_count;
    std::fill_n(a.d_position_embedding, a.context_length * channels, T(0));
    for (std::size_t row = 0; row < a.shape.rows(); ++row) {
        const std::size_t t = row % a.shape.length;
        for (std::size_t c = 0; c < channels; ++c) {
            const T gradient = a.d_output[row * channels + c];
            a.d_token_embedding[a.tokens[row] * channels + c] += gradient;
            a.d_position_embedding[t * channels + c] += gradient;
        }
    }
}

template <typename T>
void ReferenceOperators<T>::layernorm_forward(const LayernormForward<T>& a) {
    const std::size_t channels = a.channel_count;
    for (std::size_t row = 0; row < a.rows; ++row) {
        const T* const x = a.input + row * channels;
        T mean = 0;
        for (std::size_t c = 0; c < channels; ++c) mean += x[c];
        mean /= T(channels);
        T variance = 0;
        for (std::size_t c = 0; c < channels; ++c) variance += (x[c] - mean) * (x[c] - mean);
        variance /= T(channels);
        const T inverse = 1 / std::sqrt(variance + T(kNormEpsilon));
        for (std::size_t c = 0; c < channels; ++c) {
            a.output[row * channels + c] = (x[c] - mean) * inverse * a.weight[c] + a.bias[c];
        }
        a.mean[row] = mean;
        a.inverse_deviation[row] = inverse;
    }
}

template <typename T>
void ReferenceOperators<T>::layernorm_backward(const LayernormBackward<T>& a) {
    const std::size_t channels = a.channel_count;
    std::fill_n(a.d_weight, channels, T(0));
    std::fill_n(a.d_bias, channels, T(0));
    for (std::size_t row = 0; row < a.rows; ++row) {
        const T* const x = a.input + row * channels;
        const T* const d_y = a.d_output + row * channels;
        const T inverse = a.inverse_deviation[row];
        const auto normed = [&](std::size_t c) { return (x[c] - a.mean[row]) * inverse; };
        T mean_gradient = 0;
        T mean_product = 0;
        for (std::size_t c = 0; c < channels; ++c) {
            a.d_weight[c] += d_y[c] * normed(c);
            a.d_bias[c] += d_y[c];
            mean_gradient += d_y[c] * a.weight[c] / T(channels);
            mean_product += d_y[c] * a.weight[c] * normed(c) / T(channels);
        }
        for (std::size_t c = 0; c < channels; ++c) {
            a.d_input[row * channels + c] +=
                (d_y[c] * a.weight[c] - mean_gradient - normed(c) * mean_product) * inverse;
        }
    }
}

template <typename T>
void ReferenceOperators<T>::matmul_forward(const MatmulForward<T>& a) {
    const auto& [rows, inputs, outputs] = a.shape;
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t o = 0; o < outputs; ++o) {
            T sum = 0;
            for (std::size_t i = 0; i < inputs; ++i) {
                sum += a.input[row * inputs + i] * a.weight[o * inputs + i];
            }
            if (a.bias != nullptr) sum += a.bias[o];
            if (a.residual != nullptr) sum += a.residual[row * outputs + o];
            a.output[row * outputs + o] = sum;
        }
    }
}

template <typename T>
void ReferenceOperators<T>::matmul_backward_input(const MatmulBackwardInput<T>& a) {
    const auto& [rows, inputs, outputs] = a.shape;
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < inputs; ++i) {
            T sum = 0;
            for (std::size_t o = 0; o < outputs; ++o) {
                sum += a.d_output[row * outputs + o] * a.weight[o * inputs + i];
            }
            a.d_input[row * inputs + i] = sum;
        }
    }
}

template <typename T>
void ReferenceOperators<T>::matmul_backward_weight(const MatmulBackwardWeight<T>& a) {
    const auto& [rows, inputs, outputs] = a.shape;
    for (std::size_t o = 0; o < outputs; ++o) {
        for (std::size_t i = 0; i < inputs; ++i) {
            T sum = 0;
            for (std::size_t row = 0; row < rows; ++row) {
                sum += a.d_output[row * outputs + o] * a.input[row * inputs + i];
            }
            a.d_weight[o * inputs + i] = sum;
        }
        if (a.d_bias == nullptr) continue;
        a.d_bias[o] = 0;
        for (std::size_t row = 0; row < rows; ++row) a.d_bias[o] += a.d_output[row * outputs + o];
    }
}

namespace {

// One head of one sequence: where its queries, keys, values and outputs of a token are.
struct Head {
    template <typename Arguments>
    Head(const Arguments& a, std::size_t sequence_index, std::size_t head_index)
        : sequence(sequence_index),
          head(head_index),
          channels(a.shape.channel_count),
          size(channels / a.head_count),
          length(a.shape.length) {}
    std::size_t query(std::size_t t) const {
        return (sequence * length + t) * 3 * channels + head * size;
    }
    std::size_t key(std::size_t t) const { return query(t) + channels; }
    std::size_t value(std::size_t t) const { return query(t) + 2 * channels; }
    std::size_t output(std::size_t t) const {
        return (sequence * length + t) * channels + head * size;
    }
    std::size_t sequence, head, channels, size, length;
};

template <typename T>
T dot(const T* a, const T* b, std::size_t count) {
    T sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
    return sum;
}

template <typename T>
void attend(const AttentionForward<T>& a, const Head& h, std::size_t head_count, std::size_t t) {
    const T scale = 1 / std::sqrt(T(h.size));
    const auto score = [&](std::size_t u) {
        return scale * dot(a.qkv + h.query(t), a.qkv + h.key(u), h.size);
    };
    T most = score(0);
    for (std::size_t u = 1; u <= t; ++u) most = std::max(most, score(u));
    T sum = 0;
    for (std::size_t u = 0; u <= t; ++u) sum += std::exp(score(u) - most);
    const T log_sum = most + std::log(sum);
    std::fill_n(a.output + h.output(t), h.size, T(0));
    for (std::size_t u = 0; u <= t; ++u) {
        const T softmax = std::exp(score(u) - log_sum);
        for (std::size_t i = 0; i < h.size; ++i) {
            a.output[h.output(t) + i] += softmax * a.qkv[h.value(u) + i];
        }
    }
    a.log_sum[(h.sequence * head_count + h.head) * h.length + t] = log_sum;
}

template <typename T>
void attend_backward(const AttentionBackward<T>& a, const Head& h, std::size_t head_count,
                     std::size_t t) {
    const T scale = 1 / std::sqrt(T(h.size));
    const T log_sum = a.log_sum[(h.sequence * head_count + h.head) * h.length + t];
    const T* const d_output = a.d_output + h.output(t);
    // The sum over u of d_softmax[u] softmax[u], as forward's output already holds it.
    const T mean = dot(d_output, a.output + h.output(t), h.size);
    for (std::size_t u = 0; u <= t; ++u) {
        const T softmax =
            std::exp(scale * dot(a.qkv + h.query(t), a.qkv + h.key(u), h.size) - log_sum);
        const T d_softmax = dot(d_output, a.qkv + h.value(u), h.size);
        const T d_score = softmax * (d_softmax - mean) * scale;
        for (std::size_t i = 0; i < h.size; ++i) {
            a.d_qkv[h.query(t) + i] += d_score * a.qkv[h.key(u) + i];
            a.d_qkv[h.key(u) + i] += d_score * a.qkv[h.query(t) + i];
            a.d_qkv[h.value(u) + i] += softmax * d_output[i];
        }
    }
}

}  // namespace

template <typename T>
void ReferenceOperators<T>::attention_forward(const AttentionForward<T>& a) {
    for (std::size_t sequence = 0; sequence < a.shape.sequence_count; ++sequence) {
        for (std::size_t head = 0; head < a.head_count; ++head) {
            const Head h(a, sequence, head);
            for (std::size_t t = 0; t < a.shape.length; ++t) attend(a, h, a.head_count, t);
        }
    }
}

template <typename T>
void ReferenceOperators<T>::attention_backward(const AttentionBackward<T>& a) {
    std::fill_n(a.d_qkv, a.shape.rows() * 3 * a.shape.channel_count, T(0));
    for (std::size_t sequence = 0; sequence < a.shape.sequence_count; ++sequence) {
        for (std::size_t head = 0; head < a.head_count; ++head) {
            const Head h(a, sequence, head);
            for (std::size_t t = 0; t < a.shape.length; ++t) attend_backward(a, h, a.head_count, t);
        }
    }
}

namespace {
template <typename T>
constexpr T kRootTwoOverPi = std::numbers::sqrt2_v<T>* std::numbers::inv_sqrtpi_v<T>;
template <typename T>
constexpr T kCubic = T(0.044715);
}  // namespace

template <typename T>
void ReferenceOperators<T>::gelu_forward(const GeluForward<T>& a) {
    for (std::size_t i = 0; i < a.count; ++i) {
        const T x = a.input[i];
        a.output[i] = x / 2 * (1 + std::tanh(kRootTwoOverPi<T> * (x + kCubic<T> * x * x * x)));
    }
}

template <typename T>
void ReferenceOperators<T>::gelu_backward(const GeluBackward<T>& a) {
    for (std::size_t i = 0; i < a.count; ++i) {
        const T x = a.input[i];
        const T tangent = std::tanh(kRootTwoOverPi<T> * (x + kCubic<T> * x * x * x));
        const T slope = kRootTwoOverPi<T> * (1 + 3 * kCubic<T> * x * x);
        a.d_input[i] =
            a.d_output[i] * ((1 + tangent) / 2 + x / 2 * (1 - tangent * tangent) * slope);
    }
}

template <typename T>
void ReferenceOperators<T>::cross_entropy(const CrossEntropy<T>& a) {
    for (std::size_t row = 0; row < a.rows; ++row) {
        T* const logits = a.logits_to_gradient + row * a.vocabulary_size;
        const T most = *std::max_element(logits, logits + a.vocabulary_size);
        T sum = 0;
        for (std::size_t v = 0; v < a.vocabulary_size; ++v) sum += std::exp(logits[v] - most);
        a.losses[row] = std::log(sum) + most - logits[a.targets[row]];
        for (std::size_t v = 0; v < a.vocabulary_size; ++v) {
            const T hit = v == a.targets[row] ? T(1) : T(0);
            logits[v] = (std::exp(logits[v] - most) / sum - hit) / T(a.rows);
        }
    }
}

template <typename T>
void ReferenceOperators<T>::adamw(const Adamw<T>& a) {
    const AdamwCoefficients& c = a.coefficients;
    for (std::size_t i = 0; i < a.count; ++i) {
        const T gradient = a.gradients[i] * T(c.gradient_scale);
        T& first = a.first_moment[i];
        T& second = a.second_moment[i];
        first = T(c.beta1) * first + (1 - T(c.beta1)) * gradient;
        second = T(c.beta2) * second + (1 - T(c.beta2)) * gradient * gradient;
        const T step =
            first / T(c.correction1) / (std::sqrt(second / T(c.correction2)) + T(c.epsilon));
        a.parameters[i] -= T(c.learning_rate) * (step + T(c.weight_decay) * a.parameters[i]);
    }
}

template class ReferenceOperators<float>;
template class ReferenceOperators<double>;

}  // namespace xccl::trainer
