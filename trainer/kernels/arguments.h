// What each operator is given: views of arrays that its caller owns, and their shapes.
//
// All arrays are dense and row-major; the comment beside each gives its shape. A backward
// operator's d_x is the gradient of the loss with respect to x. "written" means that nothing is
// read of what was there; "added to" that the result is. Outputs overlap no input unless said so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xccl::trainer {

using Token = std::uint16_t;

// B sequences of T tokens of C channels.
struct SequenceShape {
    std::size_t sequence_count = 0;  // B
    std::size_t length = 0;          // T
    std::size_t channel_count = 0;   // C
    std::size_t rows() const { return sequence_count * length; }
};

// x[b, t] = token_embedding[tokens[b, t]] + position_embedding[t]
template <typename T>
struct EmbeddingForward {
    T* output;                    // [B, T, C] written
    const Token* tokens;          // [B, T]
    const T* token_embedding;     // [V, C]
    const T* position_embedding;  // [T or more, C]
    SequenceShape shape;
};
template <typename T>
struct EmbeddingBackward {
    T* d_token_embedding;        // [V, C] added to, in the order of the tokens
    T* d_position_embedding;     // [context_length, C] written
    const T* d_output;           // [B, T, C]
    const Token* tokens;         // [B, T]
    std::size_t context_length;  // rows beyond T become zero
    SequenceShape shape;
};

constexpr double kNormEpsilon = 1e-5;  // added to the variance

// y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias, for each row
template <typename T>
struct LayernormForward {
    T* output;             // [rows, C] written
    T* mean;               // [rows] written, for backward
    T* inverse_deviation;  // [rows] written, for backward
    const T* input;        // [rows, C]
    const T* weight;       // [C]
    const T* bias;         // [C]
    std::size_t rows;
    std::size_t channel_count;
};
template <typename T>
struct LayernormBackward {
    T* d_input;                  // [rows, C] added to: the residual's gradient is there already
    T* d_weight;                 // [C] written
    T* d_bias;                   // [C] written
    const T* d_output;           // [rows, C]
    const T* input;              // [rows, C]
    const T* weight;             // [C]
    const T* mean;               // [rows]
    const T* inverse_deviation;  // [rows]
    std::size_t rows;
    std::size_t channel_count;
};

struct MatmulShape {
    std::size_t rows = 0;     // M
    std::size_t inputs = 0;   // K, columns of the input
    std::size_t outputs = 0;  // N, columns of the output
};

// y = x W^T + bias + residual
template <typename T>
struct MatmulForward {
    T* output;          // [M, N] written
    const T* input;     // [M, K]
    const T* weight;    // [N, K]
    const T* bias;      // [N], or null
    const T* residual;  // [M, N], or null; may equal output
    MatmulShape shape;
};
// d_x = d_y W
template <typename T>
struct MatmulBackwardInput {
    T* d_input;         // [M, K] written
    const T* d_output;  // [M, N]
    const T* weight;    // [N, K]
    MatmulShape shape;
};
// d_W = d_y^T x ;  d_bias = column sums of d_y
template <typename T>
struct MatmulBackwardWeight {
    T* d_weight;        // [N, K] written
    T* d_bias;          // [N] written, or null
    const T* d_output;  // [M, N]
    const T* input;     // [M, K]
    MatmulShape shape;
};

// Causal attention with H heads of C / H channels:
// y[t] = sum over u <= t of softmax_u(q[t] . k[u] / sqrt(C / H)) v[u], for each head
template <typename T>
struct AttentionForward {
    T* output;     // [B, T, C] written
    T* log_sum;    // [B, H, T] written, for backward: log of the softmax's denominator
    const T* qkv;  // [B, T, 3, C]: queries, keys, values
    std::size_t head_count;
    SequenceShape shape;
};
template <typename T>
struct AttentionBackward {
    T* d_qkv;           // [B, T, 3, C] written
    const T* d_output;  // [B, T, C]
    const T* output;    // [B, T, C]
    const T* log_sum;   // [B, H, T]
    const T* qkv;       // [B, T, 3, C]
    std::size_t head_count;
    SequenceShape shape;
};

// y = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
template <typename T>
struct GeluForward {
    T* output;       // [count] written
    const T* input;  // [count]
    std::size_t count;
};
template <typename T>
struct GeluBackward {
    T* d_input;         // [count] written; may equal d_output
    const T* d_output;  // [count]
    const T* input;     // [count]
    std::size_t count;
};

// loss[r] = -log softmax(logits[r])[targets[r]]; logits become the gradient of the mean loss.
template <typename T>
struct CrossEntropy {
    T* logits_to_gradient;  // [rows, V] read, then written
    T* losses;              // [rows] written
    const Token* targets;   // [rows]
    std::size_t rows;
    std::size_t vocabulary_size;
};

// One step of AdamW over part of the flat arrays. `correction` = 1 - beta^step.
struct AdamwCoefficients {
    float learning_rate;
    float beta1;
    float beta2;
    float correction1;
    float correction2;
    float epsilon;
    float weight_decay;
    float gradient_scale;  // gradients are multiplied by it as they are read
};
template <typename T>
struct Adamw {
    T* parameters;       // [count] updated
    T* first_moment;     // [count] updated
    T* second_moment;    // [count] updated
    const T* gradients;  // [count]
    std::size_t count;
    AdamwCoefficients coefficients;
};

}  // namespace xccl::trainer
