// One element: how it lies in memory, in which type it is computed with, how two are combined.
//
// Functions in here are inlined into the loops of every instruction set, and compiled for none.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "base/float_types.h"
#include "device/kernels.h"

namespace xccl {

// An element at any byte address.
template <typename T>
struct [[gnu::packed]] Unaligned {
    T value;
};

// The type in which T is computed: float32 for the small floats, as accumulate_type() says.
template <typename T>
struct ComputeType {
    using type = float;
};
template <typename T>
requires std::is_arithmetic_v<T>
struct ComputeType<T> {
    using type = T;
};
template <typename T>
using Compute = typename ComputeType<T>::type;

// Element of type From as an element of type To, where one of them is Compute of the other.
template <typename To, typename From>
[[gnu::always_inline]] inline To convert(From x) {
    if constexpr (std::is_same_v<To, From>) {
        return x;
    } else if constexpr (std::is_same_v<To, float>) {
        return widen(x);
    } else {
        return narrow<To>(x);
    }
}

template <typename T>
inline constexpr T kCanonicalNan = T{};
template <>
inline constexpr float kCanonicalNan<float> = std::bit_cast<float>(kCanonicalNanBits);
template <>
inline constexpr double kCanonicalNan<double> = std::bit_cast<double>(kCanonicalNanBits64);

// Integers as they are, any NaN as the canonical one.
template <typename T>
[[gnu::always_inline]] inline T canonical(T x) {
    if constexpr (std::is_floating_point_v<T>) {
        return __builtin_isunordered(x, x) ? kCanonicalNan<T> : x;
    } else {
        return x;
    }
}

// Maps a float to an integer, so that integers compare as floats do and -0 is below +0.
[[gnu::always_inline]] inline std::int32_t order_of(float x) {
    const std::int32_t bits = std::bit_cast<std::int32_t>(x);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}
[[gnu::always_inline]] inline std::int64_t order_of(double x) {
    const std::int64_t bits = std::bit_cast<std::int64_t>(x);
    return bits ^ ((bits >> 63) & 0x7fffffffffffffff);
}
template <typename T>
requires std::is_integral_v<T>
[[gnu::always_inline]] inline T order_of(T x) {
    return x;
}

// Sums and products of integers wrap, so they are taken of unsigned ones. There is no 16-bit
// integer among the datatypes: its product would be promoted to int, which can overflow.
template <typename T>
[[gnu::always_inline]] inline T sum_of(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
        using Unsigned = std::make_unsigned_t<T>;
        return static_cast<T>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b));
    } else {
        return a + b;
    }
}
template <typename T>
[[gnu::always_inline]] inline T product_of(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
        static_assert(sizeof(T) != 2);
        using Unsigned = std::make_unsigned_t<T>;
        return static_cast<T>(static_cast<Unsigned>(a) * static_cast<Unsigned>(b));
    } else {
        return a * b;
    }
}

// What a small float looks like where it is stored.
template <typename T>
struct SmallFloatBits {
    std::make_signed_t<decltype(T::bits)> infinity;  // a magnitude beyond it is a NaN
    decltype(T::bits) canonical_nan;
};
template <typename T>
inline constexpr SmallFloatBits<T> kSmallFloatBits{};
template <>
inline constexpr SmallFloatBits<Float16> kSmallFloatBits<Float16>{0x7c00, 0x7e00};
template <>
inline constexpr SmallFloatBits<Bfloat16> kSmallFloatBits<Bfloat16>{0x7f80, 0x7fc0};
template <>
inline constexpr SmallFloatBits<Float8e4m3> kSmallFloatBits<Float8e4m3>{0x7e, 0x7f};
template <>
inline constexpr SmallFloatBits<Float8e5m2> kSmallFloatBits<Float8e5m2>{0x7c, 0x7e};

// The larger or the smaller one of two small floats is one of them, so there is nothing to widen
// and to round: this has the bits of the same in float32.
template <ReduceKind kKind, typename T>
requires(!std::is_arithmetic_v<T>) [[gnu::always_inline]] inline T extreme_of(T a, T b) {
    using Bits = decltype(T::bits);
    using Signed = std::make_signed_t<Bits>;
    constexpr Signed kMagnitude = std::numeric_limits<Signed>::max();
    constexpr int kSignShift = std::numeric_limits<Signed>::digits;
    const auto x = static_cast<Signed>(a.bits);
    const auto y = static_cast<Signed>(b.bits);
    const auto order_x = static_cast<Signed>(x ^ ((x >> kSignShift) & kMagnitude));
    const auto order_y = static_cast<Signed>(y ^ ((y >> kSignShift) & kMagnitude));
    const bool is_nan = std::max(static_cast<Signed>(x & kMagnitude),
                                 static_cast<Signed>(y & kMagnitude)) > kSmallFloatBits<T>.infinity;
    const Signed order =
        kKind == ReduceKind::kMax ? std::max(order_x, order_y) : std::min(order_x, order_y);
    const auto chosen = static_cast<Bits>(order ^ ((order >> kSignShift) & kMagnitude));
    return {is_nan ? kSmallFloatBits<T>.canonical_nan : chosen};
}

// a combined with b. A NaN may be any NaN; `canonical` makes it the one before it is stored.
template <ReduceKind kKind, typename T>
[[gnu::always_inline]] inline T combine(T a, T b) {
    if constexpr (kKind == ReduceKind::kSum) {
        return sum_of(a, b);
    } else if constexpr (kKind == ReduceKind::kProd) {
        return product_of(a, b);
    } else if constexpr (!std::is_arithmetic_v<T>) {
        return extreme_of<kKind>(a, b);
    } else {
        const bool a_is_larger = order_of(a) > order_of(b);
        const T chosen = a_is_larger == (kKind == ReduceKind::kMax) ? a : b;
        if constexpr (std::is_floating_point_v<T>) {
            return __builtin_isunordered(a, b) ? kCanonicalNan<T> : chosen;
        } else {
            return chosen;
        }
    }
}

}  // namespace xccl
