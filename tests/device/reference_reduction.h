// What a reduction must give, element by element, in plain code: the canonical tree written as the
// recursion that defines it, each float32 combination computed in double and rounded once.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/float_types.h"
#include "device/kernels.h"

namespace xccl::reference {

template <typename T>
struct Computed {
    using type = float;
};
template <typename T>
requires std::is_arithmetic_v<T>
struct Computed<T> {
    using type = T;
};

template <typename T>
T canonical_nan() {
    if constexpr (std::is_same_v<T, float>) return std::bit_cast<float>(0x7fc00000u);
    if constexpr (std::is_same_v<T, double>) return std::bit_cast<double>(0x7ff8000000000000u);
    return T{};
}

// In double (for double: itself), which holds the exact product of two floats, and whose second
// rounding changes no sum of two floats.
template <typename T>
T combine_floats(ReduceKind kind, T a, T b) {
    if (std::isnan(a) || std::isnan(b)) return canonical_nan<T>();
    const double x = a;
    const double y = b;
    const bool a_first = x < y || (x == y && std::signbit(x));  // a is the lower one
    double result = 0;
    switch (kind) {
        case ReduceKind::kSum:
            result = x + y;
            break;
        case ReduceKind::kProd:
            result = x * y;
            break;
        case ReduceKind::kMax:
            return a_first ? b : a;
        case ReduceKind::kMin:
            return a_first ? a : b;
    }
    return std::isnan(result) ? canonical_nan<T>() : static_cast<T>(result);
}

template <typename T>
T combine_integers(ReduceKind kind, T a, T b) {
    const auto x = static_cast<std::uint64_t>(a);
    const auto y = static_cast<std::uint64_t>(b);
    switch (kind) {
        case ReduceKind::kSum:
            return static_cast<T>(x + y);
        case ReduceKind::kProd:
            return static_cast<T>(x * y);
        case ReduceKind::kMax:
            return a < b ? b : a;
        default:
            return a < b ? a : b;
    }
}

template <typename C>
C combine(ReduceKind kind, C a, C b) {
    if constexpr (std::is_integral_v<C>) {
        return combine_integers(kind, a, b);
    } else {
        return combine_floats(kind, a, b);
    }
}

// The canonical tree over terms[first, last).
template <typename C>
C combine_tree(ReduceKind kind, const std::vector<C>& terms, std::size_t first, std::size_t last) {
    if (last - first == 1) return terms[first];
    const std::size_t left = std::bit_floor(last - first - 1);
    return combine(kind, combine_tree(kind, terms, first, first + left),
                   combine_tree(kind, terms, first + left, last));
}

template <typename T>
T load_element(const std::byte* data, std::size_t index) {
    T value;
    std::memcpy(&value, data + index * sizeof(T), sizeof(T));
    return value;
}
template <typename T>
void store_element(std::byte* data, std::size_t index, T value) {
    std::memcpy(data + index * sizeof(T), &value, sizeof(T));
}

template <typename T>
typename Computed<T>::type widened(T x) {
    if constexpr (std::is_arithmetic_v<T>) {
        return x;
    } else {
        return widen(x);
    }
}
template <typename T>
T rounded(typename Computed<T>::type x) {
    if constexpr (std::is_arithmetic_v<T>) {
        return x;
    } else {
        return narrow<T>(x);
    }
}

// x times the scale, in the compute type, rounded to T.
template <typename T>
typename Computed<T>::type scaled(typename Computed<T>::type x, const Scale& scale) {
    using C = typename Computed<T>::type;
    if constexpr (std::is_integral_v<T>) {
        return combine_integers<T>(ReduceKind::kProd, x, static_cast<T>(scale.integer));
    } else {
        const auto factor = static_cast<C>(scale.floating);
        return widened<T>(rounded<T>(combine_floats<C>(ReduceKind::kProd, x, factor)));
    }
}

// Element `index` of the result, before it is rounded to the destination.
template <typename T>
typename Computed<T>::type result_at(const Reduction& reduction, std::size_t index) {
    using C = typename Computed<T>::type;
    std::vector<C> terms;
    for (const ReduceSource& source : reduction.sources) {
        const C x = source.wide ? load_element<C>(source.data, index)
                                : widened<T>(load_element<T>(source.data, index));
        terms.push_back(source.scaled ? scaled<T>(x, reduction.scale) : x);
    }
    return combine_tree(reduction.kind, terms, 0, terms.size());
}

}  // namespace xccl::reference
