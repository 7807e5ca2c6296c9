// A GPT-2 model: forward, backward, and the probabilities of the next token.
//
//     x = wte[token] + wpe[position]
//     each block:  x += attention(norm(x)) ;  x += mlp(norm(x))
//     logits = norm(x) wte^T ;  loss = mean over tokens of -log softmax(logits)[target]
//
// The model holds activations and scratch memory, all of it allocated by the constructor; what is
// learned belongs to the caller, as flat arrays (parameter_layout.h). It is written once, over a
// set of operators: the fast ones for float, and the readable references for float and double,
// which tests compare it with.
//
// Every result is a function of parameters, tokens, shape and instruction set alone: not of the
// number of threads, nor of what was computed before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "kernels/fast_operators.h"
#include "kernels/reference_operators.h"
#include "model/gpt2_config.h"
#include "model/parameter_layout.h"
#include "threads/thread_pool.h"

namespace xccl::trainer {

// Sequences that are computed together.
struct Batch {
    std::span<const Token> tokens;   // [sequence_count, length], each below the vocabulary's size
    std::span<const Token> targets;  // the same shape: what follows each token
    std::size_t sequence_count = 0;  // B
    std::size_t length = 0;          // T, at most the context's
};

// The gradients [first, first + count) are final. The ranges of one backward follow one another
// from 0 to the end of the array.
using GradientsFinished = std::function<void(std::size_t first, std::size_t count)>;

template <typename Operators>
class Transformer {
  public:
    using Scalar = typename Operators::Scalar;

    // `config` must have no problem. Allocates what batches of up to `token_limit` tokens (B x T)
    // need; `pool` must outlive the model.
    Transformer(const Gpt2Config& config, std::size_t token_limit, ThreadPool& pool);
    ~Transformer();
    Transformer(const Transformer&) = delete;
    Transformer& operator=(const Transformer&) = delete;
    Transformer(Transformer&&) = delete;
    Transformer& operator=(Transformer&&) = delete;

    const Gpt2Config& config() const;
    const ParameterLayout& layout() const;
    std::size_t activation_bytes() const;  // of the arena
    std::size_t workspace_bytes() const;   // of the operators' scratch memory

    // The mean loss over the batch's tokens, in nats per token. Keeps what backward() needs.
    double forward(std::span<const Scalar> parameters, const Batch& batch);

    // The gradients of the last forward()'s loss, whose parameters and batch must still be there.
    // Writes (does not add to) every element of `gradients`, and calls `on_finished`, which may be
    // null, as ranges become final. Once per forward().
    void backward(std::span<const Scalar> parameters, std::span<Scalar> gradients,
                  const GradientsFinished& on_finished);

    // logits [V] of the token that follows `tokens`: 1 to context_length of them, and no more than
    // token_limit. Overwrites the activations of the last forward().
    void next_token_logits(std::span<const Scalar> parameters, std::span<const Token> tokens,
                           std::span<Scalar> logits);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

using Gpt2 = Transformer<FastOperators>;

// Fills the array as GPT-2 starts: weights normal with deviation 0.02 (those that end a residual
// branch divided by the square root of 2 L), biases 0, norms 1. A function of seed and layout.
template <typename Scalar>
void initialise_parameters(const ParameterLayout& layout, std::size_t layer_count,
                           std::uint64_t seed, std::span<Scalar> parameters);

}  // namespace xccl::trainer
