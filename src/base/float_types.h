// The small floating types and their conversions to and from float32.
//
//                  exponent  mantissa  bias   largest   beyond it
//     Float16         5        10       15     65504    infinity
//     Bfloat16        8         7      127    3.4e38    infinity
//     Float8e4m3      4         3        7       448    448 (saturates; the type has no infinity)
//     Float8e5m2      5         2       15     57344    infinity
//
// Widening is exact. Narrowing rounds to nearest, ties to even, subnormals included, and turns
// every NaN into the type's one canonical NaN, which is positive. For float8_e4m3, infinity
// saturates as any other large value does.
//
// There is no branch in here, only selections, so that a loop over these functions is vectorised.
// Subnormals of the small types take part in no float32 arithmetic on subnormals, so that neither
// speed nor result depends on how the caller has set up the processor to treat them.
#pragma once

#include <bit>
#include <cstdint>

namespace xccl {

struct Float16 {
    std::uint16_t bits;
};
struct Bfloat16 {
    std::uint16_t bits;
};
struct Float8e4m3 {
    std::uint8_t bits;
};
struct Float8e5m2 {
    std::uint8_t bits;
};

constexpr std::uint32_t kCanonicalNanBits = 0x7fc00000;  // of float32
constexpr std::uint64_t kCanonicalNanBits64 = 0x7ff8000000000000;

// What the conversions need to know of a type with fewer exponent bits than float32.
struct SmallFloatFormat {
    int exponent_bits;
    int mantissa_bits;
    std::uint32_t largest_bits;  // what overflow becomes: infinity, or the largest finite value
    std::uint32_t nan_bits;      // the canonical NaN
    std::uint32_t first_special_bits;  // from here on: infinity and NaNs

    constexpr std::uint32_t bias() const { return (1u << (exponent_bits - 1)) - 1; }
    constexpr int dropped_bits() const { return 23 - mantissa_bits; }
    constexpr std::uint32_t sign_bit() const { return 1u << (exponent_bits + mantissa_bits); }
};

constexpr SmallFloatFormat kFloat16Format{5, 10, 0x7c00, 0x7e00, 0x7c00};
constexpr SmallFloatFormat kFloat8e4m3Format{4, 3, 0x7e, 0x7f, 0x7f};
constexpr SmallFloatFormat kFloat8e5m2Format{5, 2, 0x7c, 0x7e, 0x7c};

// `if_true` or `if_false`, in arithmetic: of a ?: with an addition in one arm compilers make a
// branch.
[[gnu::always_inline]] constexpr inline std::uint32_t select(bool condition, std::uint32_t if_true,
                                                             std::uint32_t if_false) {
    return if_false ^ ((if_true ^ if_false) & (0u - static_cast<std::uint32_t>(condition)));
}

template <SmallFloatFormat kFormat>
[[gnu::always_inline]] constexpr inline float widen_small_float(std::uint32_t bits) {
    constexpr std::uint32_t kRebias = (127 - kFormat.bias()) << 23;
    // The float32 with the exponent of the type's smallest normal value.
    constexpr std::uint32_t kSmallestNormal = (128 - kFormat.bias()) << 23;

    const std::uint32_t sign = (bits & kFormat.sign_bit())
                               << (31 - kFormat.exponent_bits - kFormat.mantissa_bits);
    const std::uint32_t magnitude = bits & (kFormat.sign_bit() - 1);
    const std::uint32_t shifted = magnitude << kFormat.dropped_bits();
    const std::uint32_t normal = shifted + kRebias;
    // With an implied one put before its mantissa, and subtracted again, a subnormal is exact.
    const float with_implied_one = std::bit_cast<float>(shifted + kSmallestNormal);
    const std::uint32_t subnormal =
        std::bit_cast<std::uint32_t>(with_implied_one - std::bit_cast<float>(kSmallestNormal));
    // As processors do it: infinity keeps its mantissa of zero, NaN its payload, made quiet.
    const std::uint32_t quiet = select(magnitude == kFormat.largest_bits, 0, 1u << 22);
    const std::uint32_t special = shifted | 0x7f800000u | quiet;

    std::uint32_t wide = select(shifted < (1u << 23), subnormal, normal);
    wide = select(magnitude >= kFormat.first_special_bits, special, wide);
    return std::bit_cast<float>(wide | sign);
}

template <SmallFloatFormat kFormat>
[[gnu::always_inline]] constexpr inline std::uint32_t narrow_small_float(float value) {
    constexpr int kDropped = kFormat.dropped_bits();
    constexpr std::uint32_t kRebias = (127 - kFormat.bias()) << 23;
    constexpr std::uint32_t kSmallestNormal = (128 - kFormat.bias()) << 23;
    // The float32 whose last bit weighs as much as the last bit of a subnormal of the type.
    constexpr std::uint32_t kSubnormalRuler = kSmallestNormal + (kDropped << 23);

    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    const std::uint32_t sign = (bits >> 31) * kFormat.sign_bit();

    // Half of the last kept bit, less one if that bit is even: ties go to even.
    const std::uint32_t half = (1u << (kDropped - 1)) - 1 + ((magnitude >> kDropped) & 1);
    const std::uint32_t normal = (magnitude + half - kRebias) >> kDropped;
    // Added to the ruler, a small value is rounded by the addition itself.
    const float measured = std::bit_cast<float>(magnitude) + std::bit_cast<float>(kSubnormalRuler);
    const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(measured) - kSubnormalRuler;

    std::uint32_t narrow = select(magnitude < kSmallestNormal, subnormal, normal);
    narrow = select(narrow > kFormat.largest_bits, kFormat.largest_bits, narrow) | sign;
    return select(magnitude > 0x7f800000u, kFormat.nan_bits, narrow);
}

[[gnu::always_inline]] constexpr inline float widen(Float16 x) {
    return widen_small_float<kFloat16Format>(x.bits);
}
[[gnu::always_inline]] constexpr inline float widen(Float8e4m3 x) {
    return widen_small_float<kFloat8e4m3Format>(x.bits);
}
[[gnu::always_inline]] constexpr inline float widen(Float8e5m2 x) {
    return widen_small_float<kFloat8e5m2Format>(x.bits);
}
// A bfloat16 is the upper half of a float32.
[[gnu::always_inline]] constexpr inline float widen(Bfloat16 x) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16);
}
[[gnu::always_inline]] constexpr inline float widen(float x) {
    return x;
}

// narrow<T>(x): x rounded to T.
template <typename T>
T narrow(float value);

template <>
[[gnu::always_inline]] constexpr inline Float16 narrow<Float16>(float value) {
    return {static_cast<std::uint16_t>(narrow_small_float<kFloat16Format>(value))};
}
template <>
[[gnu::always_inline]] constexpr inline Float8e4m3 narrow<Float8e4m3>(float value) {
    return {static_cast<std::uint8_t>(narrow_small_float<kFloat8e4m3Format>(value))};
}
template <>
[[gnu::always_inline]] constexpr inline Float8e5m2 narrow<Float8e5m2>(float value) {
    return {static_cast<std::uint8_t>(narrow_small_float<kFloat8e5m2Format>(value))};
}
template <>
[[gnu::always_inline]] constexpr inline Bfloat16 narrow<Bfloat16>(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
    const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
    return {static_cast<std::uint16_t>(select(is_nan, kCanonicalNanBits >> 16, rounded))};
}
template <>
[[gnu::always_inline]] constexpr inline float narrow<float>(float value) {
    return value;
}

}  // namespace xccl
