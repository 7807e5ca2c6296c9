// The operators for float, in the widest instruction set that this processor has, on all threads of
// a pool. Results are those of reference_operators.h up to rounding, and the same bits for any
// number of threads.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/arguments.h"
#include "threads/thread_pool.h"

namespace xccl::trainer {

struct KernelTable;

class FastOperators {
  public:
    using Scalar = float;

    // `pool` must outlive the operators. No operator allocates once reserve() has seen its shape.
    explicit FastOperators(ThreadPool& pool);
    FastOperators(ThreadPool& pool, const KernelTable& kernels);

    // Makes room for the scratch memory of these shapes.
    void reserve(const MatmulShape& shape);
    void reserve(const SequenceShape& shape, std::size_t head_count);
    std::size_t workspace_bytes() const;

    void embedding_forward(const EmbeddingForward<float>& arguments);
    void embedding_backward(const EmbeddingBackward<float>& arguments);
    void layernorm_forward(const LayernormForward<float>& arguments);
    void layernorm_backward(const LayernormBackward<float>& arguments);
    void matmul_forward(const MatmulForward<float>& arguments);
    void matmul_backward_input(const MatmulBackwardInput<float>& arguments);
    void matmul_backward_weight(const MatmulBackwardWeight<float>& arguments);
    void attention_forward(const AttentionForward<float>& arguments);
    void attention_backward(const AttentionBackward<float>& arguments);
    void gelu_forward(const GeluForward<float>& arguments);
    void gelu_backward(const GeluBackward<float>& arguments);
    void cross_entropy(const CrossEntropy<float>& arguments);
    void adamw(const Adamw<float>& arguments);

  private:
    ThreadPool& pool_;
    const KernelTable& kernels_;
    std::vector<float> packed_;   // what all threads share: a packed operand
    std::vector<float> scratch_;  // one part per thread
};

}  // namespace xccl::trainer
