#include "model/gpt2_config.h"

#include <limits>

#include "kernels/arguments.h"
#include "model/parameter_layout.h"

namespace xccl::trainer {
namespace {

struct Bound {
    const char* name;
    std::size_t value;
    std::size_t most;
};

}  // namespace

std::string problem_with(const Gpt2Config& config) {
    constexpr std::size_t kVocabularies = std::size_t{std::numeric_limits<Token>::max()} + 1;
    const Bound bounds[] = {
        {"vocabulary size", config.vocabulary_size, kVocabularies},
        {"context length", config.context_length, 65536},
        {"number of layers", config.layer_count, 1024},
        {"number of heads", config.head_count, 1024},
        {"number of channels", config.channel_count, 65536},
    };
    for (const Bound& bound : bounds) {
        if (bound.value == 0 || bound.value > bound.most) {
            return std::string("the ") + bound.name + " is " + std::to_string(bound.value) +
                   "; choose 1 to " + std::to_string(bound.most);
        }
    }
    if (config.channel_count % config.head_count != 0) {
        return std::to_string(config.channel_count) + " channels cannot be shared equally by " +
               std::to_string(config.head_count) + " heads; choose a multiple of the heads, as " +
               std::to_string((config.channel_count / config.head_count + 1) * config.head_count);
    }
    return {};
}

double flops_per_token(const Gpt2Config& config, std::size_t length) {
    const ParameterLayout layout(config);
    const auto positions = static_cast<double>(config.context_length * config.channel_count);
    const double multiplied = static_cast<double>(layout.count()) - positions;
    const auto attention = static_cast<double>(config.layer_count * config.channel_count * length);
    return 6 * multiplied + 6 * attention;
}

}  // namespace xccl::trainer
