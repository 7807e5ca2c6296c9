#include "data/element_types.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace xccl::perf {
namespace {

int bias_of(const ElementType& type) {
    return (1 << (type.exponent_bits - 1)) - 1;
}
std::uint64_t sign_bit(const ElementType& type) {
    return std::uint64_t{1} << (type.bytes * 8 - 1);
}
// The bits of the largest finite value. E4M3 has no infinity: only all ones is a NaN.
std::uint64_t largest_finite(const ElementType& type) {
    const std::uint64_t all_exponent = ((std::uint64_t{1} << type.exponent_bits) - 1)
                                       << type.mantissa_bits;
    if (type.type == xcclFloat8e4m3) return all_exponent | 6;
    return all_exponent - 1;
}
bool is_nan(const ElementType& type, std::uint64_t bits) {
    const std::uint64_t magnitude = bits & (sign_bit(type) - 1);
    const std::uint64_t last_number = largest_finite(type) + (type.type == xcclFloat8e4m3 ? 0 : 1);
    return magnitude > last_number;
}

}  // namespace

std::uint64_t encode_float(const ElementType& type, double value) {
    if (type.type == xcclFloat64) return std::bit_cast<std::uint64_t>(value);
    const std::uint64_t sign = std::signbit(value) ? sign_bit(type) : 0;
    if (std::isnan(value)) return sign_bit(type) - 1;
    const double magnitude = std::fabs(value);
    const int smallest_exponent = 1 - bias_of(type);
    int exponent = smallest_exponent;
    if (magnitude > 0) exponent = std::max(std::ilogb(magnitude), smallest_exponent);
    if (exponent > bias_of(type) + 1) {  // infinity, or saturated, as the type has it
        return sign | (largest_finite(type) + (type.type == xcclFloat8e4m3 ? 0 : 1));
    }
    // In units of the last mantissa bit. Rounding up to the next power of two carries into the
    // exponent by itself, since exponent and mantissa lie side by side.
    const double steps = std::nearbyint(std::ldexp(magnitude, type.mantissa_bits - exponent));
    const std::uint64_t binade = static_cast<std::uint64_t>(exponent - smallest_exponent)
                                 << type.mantissa_bits;
    const std::uint64_t bits = binade + static_cast<std::uint64_t>(steps);
    const std::uint64_t beyond = largest_finite(type) + (type.type == xcclFloat8e4m3 ? 0 : 1);
    return sign | std::min(bits, beyond);
}

double decode_float(const ElementType& type, std::uint64_t bits) {
    if (type.type == xcclFloat64) return std::bit_cast<double>(bits);
    const double sign = (bits & sign_bit(type)) != 0 ? -1 : 1;
    const std::uint64_t magnitude = bits & (sign_bit(type) - 1);
    if (is_nan(type, bits)) return std::numeric_limits<double>::quiet_NaN();
    if (magnitude > largest_finite(type)) return sign * std::numeric_limits<double>::infinity();
    const std::uint64_t one = std::uint64_t{1} << type.mantissa_bits;
    const int exponent_field = static_cast<int>(magnitude >> type.mantissa_bits);
    const std::uint64_t mantissa = (magnitude & (one - 1)) | (exponent_field > 0 ? one : 0);
    const int exponent = std::max(exponent_field, 1) - bias_of(type) - type.mantissa_bits;
    return sign * std::ldexp(static_cast<double>(mantissa), exponent);
}

std::int64_t decode_integer(const ElementType& type, std::uint64_t bits) {
    const int unused = 64 - static_cast<int>(type.bytes) * 8;
    const std::uint64_t high = bits << unused;
    if (type.is_signed) return static_cast<std::int64_t>(high) >> unused;
    return static_cast<std::int64_t>(high >> unused);
}

std::uint64_t load_bits(const ElementType& type, const std::byte* element) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, element, type.bytes);  // little-endian, as all that xccl runs on
    return bits;
}

void store_bits(const ElementType& type, std::uint64_t bits, std::byte* element) {
    std::memcpy(element, &bits, type.bytes);
}

std::string element_text(const ElementType& type, std::uint64_t bits) {
    if (type.is_float) return fmt::format("{}", decode_float(type, bits));
    const std::int64_t value = decode_integer(type, bits);
    if (type.is_signed) return fmt::format("{}", value);
    return fmt::format("{}", static_cast<std::uint64_t>(value));
}

std::uint64_t distance_in_ulps(const ElementType& type, std::uint64_t a, std::uint64_t b) {
    if (is_nan(type, a) || is_nan(type, b)) {
        const bool both = is_nan(type, a) && is_nan(type, b);
        return both ? 0 : std::numeric_limits<std::uint64_t>::max();
    }
    // Magnitudes count upwards from zero on either side of it.
    const std::uint64_t magnitude_a = a & (sign_bit(type) - 1);
    const std::uint64_t magnitude_b = b & (sign_bit(type) - 1);
    const bool same_sign = (a & sign_bit(type)) == (b & sign_bit(type));
    if (!same_sign) return magnitude_a + magnitude_b;
    return magnitude_a > magnitude_b ? magnitude_a - magnitude_b : magnitude_b - magnitude_a;
}

}  // namespace xccl::perf
