#include "kernels/fast_operators.h"

#include <algorithm>

namespace xccl::trainer {
namespace {

// How work is cut into tiles. Large enough that taking a tile costs nothing, small enough that the
// threads finish together: about 10 to 100 microseconds each on a core of 2022.
constexpr std::size_t kRowsPerTile = 32;
constexpr std::size_t kElementsPerTile = 16384;
constexpr std::size_t kColumnsPerStrip = 64;  // for sums down columns
constexpr std::size_t kProductColumns = 256;  // that stay in the second-level cache
constexpr std::size_t kProductPanels = 8;     // of rows
constexpr std::size_t kEnoughTiles = 16;

std::size_t parts_of(std::size_t count, std::size_t part) {
    return (count + part - 1) / part;
}

std::size_t round_up(std::size_t count, std::size_t unit) {
    return parts_of(count, unit) * unit;
}

}  // namespace

// output = left right (+ bias) (+ residual)
struct FastOperators::Product {
    float* output;        // [rows, columns]
    StridedMatrix left;   // [rows, depth]
    StridedMatrix right;  // [depth, columns]
    std::size_t rows;
    std::size_t columns;
    std::size_t depth;
    const float* bias = nullptr;
    const float* residual = nullptr;
};

FastOperators::FastOperators(ThreadPool& pool, const KernelTable& kernels)
    : pool_(pool), kernels_(kernels) {}

void FastOperators::reserve(const MatmulShape& shape) {
    const std::size_t panel = kernels_.panel_columns;
    packed_.grow(std::max({shape.inputs * round_up(shape.outputs, panel),
                           shape.outputs * round_up(shape.inputs, panel),
                           shape.rows * round_up(shape.inputs, panel)}));
    scratch_per_thread_ = std::max(scratch_per_thread_, kernels_.left_block_elements);
    scratch_.grow(scratch_per_thread_ * pool_.thread_count());
}

void FastOperators::reserve(const SequenceShape& shape, std::size_t head_count) {
    const std::size_t elements = kernels_.attention_scratch(shape, head_count);
    scratch_per_thread_ =
        std::max(scratch_per_thread_, round_up(elements, kCacheLineBytes / sizeof(float)));
    scratch_.grow(scratch_per_thread_ * pool_.thread_count());
}

std::size_t FastOperators::workspace_bytes() const {
    return packed_.bytes() + scratch_.bytes();
}

float* FastOperators::scratch_of(std::size_t thread) {
    return scratch_.data() + thread * scratch_per_thread_;
}

// Calls body(range) for parts of [0, count), on all threads.
template <typename Body>
void FastOperators::for_parts(std::size_t count, std::size_t part, const Body& body) {
    pool_.run(parts_of(count, part), [&](std::size_t tile, std::size_t) {
        body(Range{tile * part, std::min(count, (tile + 1) * part)});
    });
}

// Packs the right operand and sums columns, which do not wait for each other; then multiplies.
void FastOperators::multiply_in_tiles(const Product& p, const ColumnSums& sums) {
    const std::size_t panel_count = parts_of(p.columns, kernels_.panel_columns);
    const PackColumns pack{packed_.data(), p.right, p.depth, p.columns};
    pool_.run(
        panel_count + parts_of(sums.columns, kColumnsPerStrip), [&](std::size_t tile, std::size_t) {
            if (tile < panel_count) return kernels_.pack_columns(pack, {tile, tile + 1});
            const std::size_t column = (tile - panel_count) * kColumnsPerStrip;
            kernels_.column_sums(sums, {column, std::min(sums.columns, column + kColumnsPerStrip)});
        });

    const std::size_t strips = parts_of(p.columns, kProductColumns);
    std::size_t rows = kProductPanels * kernels_.panel_rows;
    while (rows > kernels_.panel_rows && parts_of(p.rows, rows) * strips < kEnoughTiles) rows /= 2;
    const std::size_t row_tiles = parts_of(p.rows, rows);
    pool_.run(row_tiles * strips, [&](std::size_t tile, std::size_t thread) {
        // Neighbours share the columns, so that the packed operand is found in the cache.
        const std::size_t row = tile % row_tiles * rows;
        const std::size_t column = tile / row_tiles * kProductColumns;
        const std::size_t place = row * p.columns + column;
        kernels_.multiply({.output = p.output + place,
                           .output_stride = p.columns,
                           .left = {p.left.data + row * p.left.row_stride, p.left.row_stride,
                                    p.left.column_stride},
                           .packed_right = packed_.data() + column * p.depth,
                           .panel_depth = p.depth,
                           .rows = std::min(rows, p.rows - row),
                           .columns = std::min(kProductColumns, p.columns - column),
                           .depth = p.depth,
                           .bias = p.bias != nullptr ? p.bias + column : nullptr,
                           .residual = p.residual != nullptr ? p.residual + place : nullptr,
                           .scratch = scratch_of(thread)});
    });
}

void FastOperators::matmul_forward(const MatmulForward<float>& a) {
    const auto& [rows, inputs, outputs] = a.shape;
    reserve(a.shape);
    multiply_in_tiles({.output = a.output,
                       .left = {a.input, inputs, 1},
                       .right = {a.weight, 1, inputs},
                       .rows = rows,
                       .columns = outputs,
                       .depth = inputs,
                       .bias = a.bias,
                       .residual = a.residual},
                      {});
}

void FastOperators::matmul_backward_input(const MatmulBackwardInput<float>& a) {
    const auto& [rows, inputs, outputs] = a.shape;
    reserve(a.shape);
    multiply_in_tiles({.output = a.d_input,
                       .left = {a.d_output, outputs, 1},
                       .right = {a.weight, inputs, 1},
                       .rows = rows,
                       .columns = inputs,
                       .depth = outputs},
                      {});
}

void FastOperators::matmul_backward_weight(const MatmulBackwardWeight<float>& a) {
    const auto& [rows, inputs, outputs] = a.shape;
    reserve(a.shape);
    multiply_in_tiles({.output = a.d_weight,
                       .left = {a.d_output, 1, outputs},
                       .right = {a.input, inputs, 1},
                       .rows = outputs,
                       .columns = inputs,
                       .depth = rows},
                      {a.d_bias, a.d_output, rows, a.d_bias != nullptr ? outputs : 0});
}

void FastOperators::attention_forward(const AttentionForward<float>& a) {
    reserve(a.shape, a.head_count);
    pool_.run(a.shape.sequence_count * a.head_count, [&](std::size_t tile, std::size_t thread) {
        kernels_.attention_forward(a, tile / a.head_count, tile % a.head_count, scratch_of(thread));
    });
}

void FastOperators::attention_backward(const AttentionBackward<float>& a) {
    reserve(a.shape, a.head_count);
    pool_.run(a.shape.sequence_count * a.head_count, [&](std::size_t tile, std::size_t thread) {
        kernels_.attention_backward(a, tile / a.head_count, tile % a.head_count,
                                    scratch_of(thread));
    });
}

void FastOperators::embedding_forward(const EmbeddingForward<float>& a) {
    const std::size_t channels = a.shape.channel_count;
    for_parts(a.shape.rows(), kRowsPerTile, [&](Range rows) {
        for (std::size_t row = rows.begin; row < rows.end; ++row) {
            const float* const token = a.token_embedding + a.tokens[row] * channels;
            const float* const position = a.position_embedding + row % a.shape.length * channels;
            float* const output = a.output + row * channels;
            for (std::size_t i = 0; i < channels; ++i) output[i] = token[i] + position[i];
        }
    });
}

void FastOperators::embedding_backward(const EmbeddingBackward<float>& a) {
    const std::size_t channels = a.shape.channel_count;
    const std::size_t length = a.shape.length;
    // A strip of columns belongs to one thread, which meets the tokens in their order.
    for_parts(channels, kColumnsPerStrip, [&](Range columns) {
        for (std::size_t t = 0; t < a.context_length; ++t) {
            float* const position = a.d_position_embedding + t * channels;
            std::fill(position + columns.begin, position + columns.end, 0.0F);
        }
        for (std::size_t row = 0; row < a.shape.rows(); ++row) {
            const float* const d_output = a.d_output + row * channels;
            float* const token = a.d_token_embedding + a.tokens[row] * channels;
            float* const position = a.d_position_embedding + row % length * channels;
            for (std::size_t i = columns.begin; i < columns.end; ++i) {
                token[i] += d_output[i];
                position[i] += d_output[i];
            }
        }
    });
}

void FastOperators::layernorm_forward(const LayernormForward<float>& a) {
    for_parts(a.rows, kRowsPerTile, [&](Range rows) { kernels_.layernorm_forward(a, rows); });
}

void FastOperators::layernorm_backward(const LayernormBackward<float>& a) {
    const std::size_t row_tiles = parts_of(a.rows, kRowsPerTile);
    const std::size_t strips = parts_of(a.channel_count, kColumnsPerStrip);
    pool_.run(row_tiles + strips, [&](std::size_t tile, std::size_t) {
        if (tile < row_tiles) {
            const std::size_t row = tile * kRowsPerTile;
            kernels_.layernorm_backward_input(a, {row, std::min(a.rows, row + kRowsPerTile)});
        } else {
            const std::size_t column = (tile - row_tiles) * kColumnsPerStrip;
            kernels_.layernorm_backward_weight(
                a, {column, std::min(a.channel_count, column + kColumnsPerStrip)});
        }
    });
}

void FastOperators::gelu_forward(const GeluForward<float>& a) {
    for_parts(a.count, kElementsPerTile, [&](Range part) { kernels_.gelu_forward(a, part); });
}

void FastOperators::gelu_backward(const GeluBackward<float>& a) {
    for_parts(a.count, kElementsPerTile, [&](Range part) { kernels_.gelu_backward(a, part); });
}

void FastOperators::cross_entropy(const CrossEntropy<float>& a) {
    for_parts(a.rows, kRowsPerTile, [&](Range rows) { kernels_.cross_entropy(a, rows); });
}

void FastOperators::adamw(const Adamw<float>& a) {
    for_parts(a.count, kElementsPerTile, [&](Range part) { kernels_.adamw(a, part); });
}

}  // namespace xccl::trainer
