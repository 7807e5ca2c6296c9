// The first values of parameters. Each is a function of the seed and its own place, so that they
// can be made in any order.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>

#include "model/gpt2.h"

namespace xccl::trainer {
namespace {

// Uniform in 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// Normal with deviation 1 (Box and Muller, 1958).
double normal(std::uint64_t seed, std::uint64_t index) {
    const std::uint64_t bits = mix(mix(seed) ^ index);
    constexpr double kUnit = 0x1p-53;
    const double radius = static_cast<double>((bits >> 11) + 1) * kUnit;  // in (0, 1]
    const double angle = static_cast<double>(mix(bits) >> 11) * kUnit;    // in [0, 1)
    return std::sqrt(-2 * std::log(radius)) * std::cos(2 * std::numbers::pi * angle);
}

bool ends_with(const std::string& name, const char* ending) {
    return std::string_view(name).ends_with(ending);
}

}  // namespace

template <typename Scalar>
void initialise_parameters(const ParameterLayout& layout, std::size_t layer_count,
                           std::uint64_t seed, std::span<Scalar> parameters) {
    constexpr double kDeviation = 0.02;
    for (const Tensor& tensor : layout.tensors()) {
        const std::span<Scalar> values = parameters.subspan(tensor.offset, tensor.count);
        if (tensor.shape.size() == 1) {
            std::fill(values.begin(), values.end(),
                      ends_with(tensor.name, ".weight") ? Scalar(1) : Scalar(0));
            continue;
        }
        const bool ends_branch = ends_with(tensor.name, "c_proj.weight");
        const double deviation =
            ends_branch ? kDeviation / std::sqrt(2.0 * static_cast<double>(layer_count))
                        : kDeviation;
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<Scalar>(deviation * normal(seed, tensor.offset + i));
        }
    }
}

template void initialise_parameters<float>(const ParameterLayout&, std::size_t, std::uint64_t,
                                           std::span<float>);
template void initialise_parameters<double>(const ParameterLayout&, std::size_t, std::uint64_t,
                                            std::span<double>);

}  // namespace xccl::trainer
