// Where each tensor lies in the flat arrays.
//
// There is one array per kind (parameters, gradients, both moments), all of the same layout.
// Tensors stand in the order in which backward finishes their gradients, so what is final is always
// a growing prefix, and a bucket of gradients is a range of it. For two blocks:
//
//     ln_f | h.1: mlp.c_proj mlp.c_fc ln_2 attn.c_proj attn.c_attn ln_1 | h.0: ... | wpe | wte
//
// The tied embedding stands last: its gradient has a part from each end of the model.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/gpt2_config.h"

namespace xccl::trainer {

struct Tensor {
    std::string name;                // as Hugging Face names it: "h.0.attn.c_attn.weight"
    std::vector<std::size_t> shape;  // row-major; weights are (outputs, inputs)
    std::size_t offset = 0;          // of its first element, in elements
    std::size_t count = 0;           // elements
    bool decays = false;             // weight decay is for matrices, not for biases and norms
};

// The tensors of one block, as offsets.
struct BlockOffsets {
    std::size_t output_weight, output_bias;                  // mlp.c_proj   (C, 4C)
    std::size_t hidden_weight, hidden_bias;                  // mlp.c_fc     (4C, C)
    std::size_t hidden_norm_weight, hidden_norm_bias;        // ln_2
    std::size_t projection_weight, projection_bias;          // attn.c_proj  (C, C)
    std::size_t attention_weight, attention_bias;            // attn.c_attn  (3C, C)
    std::size_t attention_norm_weight, attention_norm_bias;  // ln_1
    std::size_t end;                                         // of the block
};

class ParameterLayout {
  public:
    explicit ParameterLayout(const Gpt2Config& config);

    // In the order of their offsets, without gaps.
    const std::vector<Tensor>& tensors() const { return tensors_; }
    std::size_t count() const { return count_; }        // elements of a flat array
    const Tensor* find(const std::string& name) const;  // null: there is none of that name

    const BlockOffsets& block(std::size_t layer) const { return blocks_[layer]; }
    std::size_t final_norm_weight() const { return 0; }
    std::size_t final_norm_bias() const { return final_norm_bias_; }
    std::size_t position_embedding() const { return position_embedding_; }
    std::size_t token_embedding() const { return token_embedding_; }

  private:
    std::size_t add(std::string name, std::vector<std::size_t> shape);
    BlockOffsets add_block(const std::string& prefix, std::size_t channels);

    std::vector<Tensor> tensors_;
    std::vector<BlockOffsets> blocks_;
    std::size_t count_ = 0;
    std::size_t final_norm_bias_ = 0;
    std::size_t position_embedding_ = 0;
    std::size_t token_embedding_ = 0;
};

}  // namespace xccl::trainer
