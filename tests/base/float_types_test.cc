// Goal: the conversions of the small floats are those of their definition.
// Method: every encoding is decoded by the definition, in double; narrowing is compared with a
// search among all values of the type for the nearest, at all values, all midpoints between
// neighbours and a float to either side of them, and at random floats.
#include "base/float_types.h"

#include <gtest/gtest.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace xccl {
namespace {

struct Format {
    int exponent_bits;
    int mantissa_bits;
    bool has_infinity;
    std::uint32_t nan_bits;
};

template <typename T>
constexpr Format kFormatOf = {};
template <>
constexpr Format kFormatOf<Float16> = {5, 10, true, 0x7e00};
template <>
constexpr Format kFormatOf<Bfloat16> = {8, 7, true, 0x7fc0};
template <>
constexpr Format kFormatOf<Float8e4m3> = {4, 3, false, 0x7f};
template <>
constexpr Format kFormatOf<Float8e5m2> = {5, 2, true, 0x7e};

double decode_by_definition(Format format, std::uint32_t bits) {
    const int bias = (1 << (format.exponent_bits - 1)) - 1;
    const int top = (1 << format.exponent_bits) - 1;
    const int exponent = static_cast<int>(bits >> format.mantissa_bits) & top;
    const int mantissa_mask = (1 << format.mantissa_bits) - 1;
    const int mantissa = static_cast<int>(bits) & mantissa_mask;
    const bool negative = (bits >> (format.exponent_bits + format.mantissa_bits)) & 1;
    double magnitude;
    if (format.has_infinity && exponent == top) {
        magnitude = mantissa == 0 ? INFINITY : NAN;
    } else if (!format.has_infinity && exponent == top && mantissa == mantissa_mask) {
        magnitude = NAN;
    } else if (exponent == 0) {
        magnitude = std::ldexp(mantissa, 1 - bias - format.mantissa_bits);
    } else {
        magnitude = std::ldexp(mantissa + (1 << format.mantissa_bits),
                               exponent - bias - format.mantissa_bits);
    }
    return negative ? -magnitude : magnitude;
}

// All finite values from zero up; a value's index is its encoding.
std::vector<double> finite_values(Format format) {
    std::vector<double> values;
    for (std::uint32_t bits = 0;; ++bits) {
        const double value = decode_by_definition(format, bits);
        if (!std::isfinite(value)) return values;
        values.push_back(value);
    }
}

std::uint32_t narrow_by_search(Format format, const std::vector<double>& values, float x) {
    if (std::isnan(x)) return format.nan_bits;
    const std::uint32_t sign =
        std::signbit(x) ? 1u << (format.exponent_bits + format.mantissa_bits) : 0;
    const double magnitude = std::fabs(static_cast<double>(x));
    const std::uint32_t last = static_cast<std::uint32_t>(values.size()) - 1;
    const double half_step = (values[last] - values[last - 1]) / 2;
    if (magnitude >= values[last] + half_step) {
        return sign | (format.has_infinity ? last + 1 : last);
    }
    if (magnitude >= values[last]) return sign | last;
    const auto above = static_cast<std::uint32_t>(
        std::upper_bound(values.begin(), values.end(), magnitude) - values.begin());
    const double to_above = values[above] - magnitude;
    const double to_below = magnitude - values[above - 1];
    const bool up = to_above < to_below || (to_above == to_below && above % 2 == 0);
    return sign | (up ? above : above - 1);
}

template <typename T>
class FloatTypes : public ::testing::Test {};
using SmallFloats = ::testing::Types<Float16, Bfloat16, Float8e4m3, Float8e5m2>;
TYPED_TEST_SUITE(FloatTypes, SmallFloats);

TYPED_TEST(FloatTypes, WidenEveryEncoding) {
    using Bits = decltype(TypeParam{}.bits);
    for (std::uint32_t bits = 0; bits <= std::numeric_limits<Bits>::max(); ++bits) {
        const double expected = decode_by_definition(kFormatOf<TypeParam>, bits);
        const float wide = widen(TypeParam{static_cast<Bits>(bits)});
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(wide)) << bits;
        } else {
            ASSERT_EQ(static_cast<double>(wide), expected) << bits;
            ASSERT_EQ(std::signbit(wide), std::signbit(expected)) << bits;
        }
    }
}

TYPED_TEST(FloatTypes, EveryEncodingSurvivesTheRoundTrip) {
    using Bits = decltype(TypeParam{}.bits);
    for (std::uint32_t bits = 0; bits <= std::numeric_limits<Bits>::max(); ++bits) {
        const float wide = widen(TypeParam{static_cast<Bits>(bits)});
        const std::uint32_t expected = std::isnan(wide) ? kFormatOf<TypeParam>.nan_bits : bits;
        ASSERT_EQ(narrow<TypeParam>(wide).bits, expected) << bits;
    }
}

#if defined(__SSE2__)
// Many a program tells the processor to take subnormal float32 for zero. That is its own affair,
// but the subnormals of the small types are not among them.
TYPED_TEST(FloatTypes, TheProcessorsTreatmentOfSubnormalsDoesNotMatter) {
    using Bits = decltype(TypeParam{}.bits);
    if (std::is_same_v<TypeParam, Bfloat16>) GTEST_SKIP() << "bfloat16 has float32's subnormals";
    const unsigned before = _mm_getcsr();
    constexpr unsigned kFlushToZero = 0x8000;
    constexpr unsigned kDenormalsAreZero = 0x0040;
    _mm_setcsr(before | kFlushToZero | kDenormalsAreZero);
    std::uint32_t survivors = 0;
    for (std::uint32_t bits = 0; bits <= std::numeric_limits<Bits>::max(); ++bits) {
        const float wide = widen(TypeParam{static_cast<Bits>(bits)});
        survivors += wide != wide || narrow<TypeParam>(wide).bits == bits ? 1 : 0;
    }
    _mm_setcsr(before);
    EXPECT_EQ(survivors, std::numeric_limits<Bits>::max() + 1u);
}
#endif

TYPED_TEST(FloatTypes, NarrowRoundsToNearestEven) {
    const Format format = kFormatOf<TypeParam>;
    const std::vector<double> values = finite_values(format);
    const auto check = [&](float x) {
        for (const float signed_x : {x, -x}) {
            ASSERT_EQ(narrow<TypeParam>(signed_x).bits, narrow_by_search(format, values, signed_x))
                << std::hexfloat << signed_x;
        }
    };
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
        const auto midpoint = static_cast<float>((values[i] + values[i + 1]) / 2);
        for (const float x : {static_cast<float>(values[i]), midpoint}) {
            ASSERT_NO_FATAL_FAILURE(check(x));
            ASSERT_NO_FATAL_FAILURE(check(std::nextafter(x, 0.0f)));
            ASSERT_NO_FATAL_FAILURE(check(std::nextafter(x, INFINITY)));
        }
    }
    // Around the place where overflow begins, and beyond.
    const double last = values.back();
    const auto edge = static_cast<float>(last + (last - values[values.size() - 2]) / 2);
    for (const float x : {static_cast<float>(last), edge, std::nextafter(edge, 0.0f),
                          std::nextafter(edge, INFINITY), std::numeric_limits<float>::max(),
                          std::numeric_limits<float>::infinity()}) {
        ASSERT_NO_FATAL_FAILURE(check(x));
    }
}

TYPED_TEST(FloatTypes, NarrowRandomBits) {
    const Format format = kFormatOf<TypeParam>;
    const std::vector<double> values = finite_values(format);
    std::mt19937 random(1);
    for (int i = 0; i < 300000; ++i) {
        const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        ASSERT_EQ(narrow<TypeParam>(x).bits, narrow_by_search(format, values, x))
            << std::hexfloat << x;
    }
}

TEST(FloatTypesOverflow, Float8e4m3Saturates) {
    EXPECT_EQ(narrow<Float8e4m3>(1e9f).bits, 0x7e);
    EXPECT_EQ(narrow<Float8e4m3>(-INFINITY).bits, 0xfe);
    EXPECT_EQ(narrow<Float8e4m3>(NAN).bits, 0x7f);
    EXPECT_EQ(narrow<Float8e4m3>(-NAN).bits, 0x7f);
}

TEST(FloatTypesOverflow, OthersBecomeInfinite) {
    EXPECT_EQ(narrow<Float16>(65520.0f).bits, 0x7c00);
    EXPECT_EQ(narrow<Float16>(65519.0f).bits, 0x7bff);
    EXPECT_EQ(narrow<Float8e5m2>(-61440.0f).bits, 0xfc);
    EXPECT_EQ(narrow<Bfloat16>(std::numeric_limits<float>::max()).bits, 0x7f80);
}

static_assert(widen(Float16{0x3c00}) == 1.0f && narrow<Float16>(1.0f).bits == 0x3c00);
static_assert(widen(Float16{0x0001}) == 0x1p-24f && narrow<Float16>(0x1p-24f).bits == 1);

}  // namespace
}  // namespace xccl
