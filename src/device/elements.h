// One element: how it lies in memory, in which type it is computed with, how two are combined.
//
// Functions in here are inlined into the loops of every instruction set, and compiled for none.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
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

// a combined with b. A NaN may be any NaN; `canonical` makes it the one before it is stored.
template <ReduceKind kKind, typename T>
[[gnu::always_inline]] inline T combine(T a, T b) {
    if constexpr (kKind == ReduceKind::kSum) {
        return sum_of(a, b);
    } else if constexpr (kKind == ReduceKind::kProd) {
        return product_of(a, b);
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
