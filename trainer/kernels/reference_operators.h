// The operators as plain loops: what the fast ones must agree with, and short enough to be read.
// In double they are the oracle that finite differences are compared with.
#pragma once

#include <cstddef>

#include "kernels/arguments.h"
#include "threads/thread_pool.h"

namespace xccl::trainer {

template <typename T>
class ReferenceOperators {
  public:
    using Scalar = T;

    explicit ReferenceOperators(ThreadPool&) {}
    void reserve(const MatmulShape&) {}
    void reserve(const SequenceShape&, std::size_t) {}
    std::size_t workspace_bytes() const { return 0; }

    void embedding_forward(const EmbeddingForward<T>& arguments);
    void embedding_backward(const EmbeddingBackward<T>& arguments);
    void layernorm_forward(const LayernormForward<T>& arguments);
    void layernorm_backward(const LayernormBackward<T>& arguments);
    void matmul_forward(const MatmulForward<T>& arguments);
    void matmul_backward_input(const MatmulBackwardInput<T>& arguments);
    void matmul_backward_weight(const MatmulBackwardWeight<T>& arguments);
    void attention_forward(const AttentionForward<T>& arguments);
    void attention_backward(const AttentionBackward<T>& arguments);
    void gelu_forward(const GeluForward<T>& arguments);
    void gelu_backward(const GeluBackward<T>& arguments);
    void cross_entropy(const CrossEntropy<T>& arguments);
    void adamw(const Adamw<T>& arguments);
};

extern template class ReferenceOperators<float>;
extern template class ReferenceOperators<double>;

}  // namespace xccl::trainer
