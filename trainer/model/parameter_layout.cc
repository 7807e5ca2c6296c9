#include "model/parameter_layout.h"

#include <algorithm>
#include <utility>

namespace xccl::trainer {

ParameterLayout::ParameterLayout(const Gpt2Config& config) {
    const std::size_t channels = config.channel_count;
    add("ln_f.weight", {channels});
    final_norm_bias_ = add("ln_f.bias", {channels});
    blocks_.resize(config.layer_count);
    for (std::size_t layer = config.layer_count; layer-- > 0;) {
        blocks_[layer] = add_block("h." + std::to_string(layer) + ".", channels);
    }
    position_embedding_ = add("wpe.weight", {config.context_length, channels});
    token_embedding_ = add("wte.weight", {config.vocabulary_size, channels});
}

BlockOffsets ParameterLayout::add_block(const std::string& prefix, std::size_t channels) {
    BlockOffsets at{};
    at.output_weight = add(prefix + "mlp.c_proj.weight", {channels, 4 * channels});
    at.output_bias = add(prefix + "mlp.c_proj.bias", {channels});
    at.hidden_weight = add(prefix + "mlp.c_fc.weight", {4 * channels, channels});
    at.hidden_bias = add(prefix + "mlp.c_fc.bias", {4 * channels});
    at.hidden_norm_weight = add(prefix + "ln_2.weight", {channels});
    at.hidden_norm_bias = add(prefix + "ln_2.bias", {channels});
    at.projection_weight = add(prefix + "attn.c_proj.weight", {channels, channels});
    at.projection_bias = add(prefix + "attn.c_proj.bias", {channels});
    at.attention_weight = add(prefix + "attn.c_attn.weight", {3 * channels, channels});
    at.attention_bias = add(prefix + "attn.c_attn.bias", {3 * channels});
    at.attention_norm_weight = add(prefix + "ln_1.weight", {channels});
    at.attention_norm_bias = add(prefix + "ln_1.bias", {channels});
    at.end = count_;
    return at;
}

std::size_t ParameterLayout::add(std::string name, std::vector<std::size_t> shape) {
    Tensor tensor;
    tensor.name = std::move(name);
    tensor.offset = count_;
    tensor.count = 1;
    for (const std::size_t extent : shape) tensor.count *= extent;
    tensor.decays = shape.size() > 1;
    tensor.shape = std::move(shape);
    count_ += tensor.count;
    tensors_.push_back(std::move(tensor));
    return tensors_.back().offset;
}

const Tensor* ParameterLayout::find(const std::string& name) const {
    const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                    [&](const Tensor& tensor) { return tensor.name == name; });
    return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace xccl::trainer
