// The loops inside the fast operators, once per instruction set. None of them knows of threads:
// each works on the part that it is given, and its results do not depend on how work was cut in
// parts.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/arguments.h"

namespace xccl::trainer {

struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
};

// A matrix of which one of both strides is 1.
struct StridedMatrix {
    const float* data;
    std::size_t row_stride;     // elements from (i, k) to (i + 1, k)
    std::size_t column_stride;  // elements from (i, k) to (i, k + 1)
};

// The right operand of a product, cut into panels of `panel_columns` columns, each stored row by
// row; the last is filled up with zeros.
struct PackColumns {
    float* packed;         // [panels, depth, panel_columns] written
    StridedMatrix matrix;  // [depth, columns]
    std::size_t depth;
    std::size_t columns;
};

// output = left right (+ bias) (+ residual), or output += left right
struct Multiply {
    float* output;              // [rows, columns]
    std::size_t output_stride;  // from row to row
    StridedMatrix left;         // [rows, depth]
    const float*
        packed_right;  // [panels, panel_depth, panel_columns], of which depth rows are used
    std::size_t panel_depth;
    std::size_t rows;
    std::size_t columns;
    std::size_t depth;
    const float* bias = nullptr;      // [columns] or null
    const float* residual = nullptr;  // as the output, or null; may be the output
    bool accumulate = false;          // without bias and residual
    float* scratch;                   // [left_block_elements]
};

struct ColumnSums {
    float* sums;         // [columns] written
    const float* input;  // [rows, columns]
    std::size_t rows;
    std::size_t columns;
};

struct KernelTable {
    const char* name;
    std::size_t panel_rows;
    std::size_t panel_columns;
    std::size_t left_block_elements;  // scratch of multiply()

    void (*pack_columns)(const PackColumns&, Range panels);
    void (*multiply)(const Multiply&);
    void (*column_sums)(const ColumnSums&, Range columns);
    std::size_t (*attention_scratch)(const SequenceShape&, std::size_t head_count);
    void (*attention_forward)(const AttentionForward<float>&, std::size_t sequence,
                              std::size_t head, float* scratch);
    void (*attention_backward)(const AttentionBackward<float>&, std::size_t sequence,
                               std::size_t head, float* scratch);
    void (*layernorm_forward)(const LayernormForward<float>&, Range rows);
    void (*layernorm_backward_input)(const LayernormBackward<float>&, Range rows);
    void (*layernorm_backward_weight)(const LayernormBackward<float>&, Range columns);
    void (*gelu_forward)(const GeluForward<float>&, Range elements);
    void (*gelu_backward)(const GeluBackward<float>&, Range elements);
    void (*cross_entropy)(const CrossEntropy<float>&, Range rows);
    void (*adamw)(const Adamw<float>&, Range elements);
    double (*sum_of_squares)(const float* values, std::size_t count);
    void (*add)(float* into, const float* from, std::size_t count);
};

// Those that this processor can run, the fastest first. Never empty.
const std::vector<const KernelTable*>& usable_kernel_tables();
inline const KernelTable& best_kernel_table() {
    return *usable_kernel_tables().front();
}

}  // namespace xccl::trainer
