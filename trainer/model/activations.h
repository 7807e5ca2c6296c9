// What forward leaves for backward, and what backward passes from block to block.
#pragma once

#include <cstddef>
#include <vector>

#include "model/arena.h"
#include "model/gpt2_config.h"

namespace xccl::trainer {

// The output of a layer norm, and what its backward needs.
template <typename T>
struct NormActivations {
    T* output;             // [rows, C]
    T* mean;               // [rows]
    T* inverse_deviation;  // [rows]
};

template <typename T>
struct BlockActivations {
    NormActivations<T> attention_norm;
    T* qkv;       // [rows, 3, C]
    T* attended;  // [rows, C]
    T* log_sum;   // [B, H, T]
    T* middle;    // [rows, C]  the residual stream between attention and mlp
    NormActivations<T> hidden_norm;
    T* hidden;  // [rows, 4C]
    T* gelu;    // [rows, 4C]
    T* end;     // [rows, C]  the residual stream after the block
};

// rows = B x T. Takes everything from one arena.
template <typename T>
struct Activations {
    Activations(Arena<T>& arena, const Gpt2Config& config, std::size_t rows) {
        const std::size_t channels = config.channel_count;
        embedded = arena.take(rows * channels);
        blocks.resize(config.layer_count);
        for (BlockActivations<T>& block : blocks) {
            block.attention_norm = take_norm(arena, rows, channels);
            block.qkv = arena.take(rows * 3 * channels);
            block.attended = arena.take(rows * channels);
            block.log_sum = arena.take(rows * config.head_count);
            block.middle = arena.take(rows * channels);
            block.hidden_norm = take_norm(arena, rows, channels);
            block.hidden = arena.take(rows * 4 * channels);
            block.gelu = arena.take(rows * 4 * channels);
            block.end = arena.take(rows * channels);
        }
        final_norm = take_norm(arena, rows, channels);
        logits = arena.take(rows * config.vocabulary_size);
        losses = arena.take(rows);
        d_stream = arena.take(rows * channels);
        d_narrow = arena.take(rows * channels);
        d_wide = arena.take(rows * 4 * channels);
    }

    // The residual stream that enters a block.
    const T* stream_before(std::size_t layer) const {
        return layer == 0 ? embedded : blocks[layer - 1].end;
    }
    const T* stream_at_end() const { return stream_before(blocks.size()); }

    T* embedded;  // [rows, C]
    std::vector<BlockActivations<T>> blocks;
    NormActivations<T> final_norm;
    T* logits;    // [rows, V], then their gradient
    T* losses;    // [rows]
    T* d_stream;  // [rows, C]   gradient of the residual stream
    T* d_narrow;  // [rows, C]   of a branch
    T* d_wide;    // [rows, 4C]  of a branch

  private:
    static NormActivations<T> take_norm(Arena<T>& arena, std::size_t rows, std::size_t channels) {
        return {arena.take(rows * channels), arena.take(rows), arena.take(rows)};
    }
};

}  // namespace xccl::trainer
