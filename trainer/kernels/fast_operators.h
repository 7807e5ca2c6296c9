// The operators for float, in the widest instruction set that this processor has, on all threads of
// a pool. Results are those of reference_operators.h up to rounding, and the same bits for any
// number of threads.
#pragma once

#include <cstddef>

#include "kernels/aligned_array.h"
#include "kernels/arguments.h"
#include "kernels/kernel_table.h"
#include "threads/thread_pool.h"

namespace xccl::trainer {

class FastOperators {
  public:
    using Scalar = float;

    // `pool` must outlive the operators.
    explicit FastOperators(ThreadPool& pool, const KernelTable& kernels = best_kernel_table());

    // Makes room for the scratch memory of these shapes. Operators do so themselves; whoever calls
    // this first has operators that allocate nothing.
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
    struct Product;

    template <typename Body>
    void for_parts(std::size_t count, std::size_t part, const Body& body);
    float* scratch_of(std::size_t thread);
    void multiply_in_tiles(const Product& product, const ColumnSums& column_sums);

    ThreadPool& pool_;
    const KernelTable& kernels_;
    AlignedArray<float> packed_;   // what all threads share: the right operand of a product
    AlignedArray<float> scratch_;  // one part per thread
    std::size_t scratch_per_thread_ = 0;
};

}  // namespace xccl::trainer
