// The datatypes and operators that xccl-tests knows, by the names that nccl-tests gives them, and
// the conversion of numbers to and from elements.
//
// The conversions here share nothing with the library's: a test that used the code under test
// could not find a mistake in it. They are simple, not fast; tables of one period are made with
// them (data/pattern.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "xccl.h"

namespace xccl::perf {

struct ElementType {
    std::string_view name;
    xcclDataType_t type;
    std::size_t bytes;
    bool is_float;
    bool is_signed;
    int mantissa_bits;  // floats: without the implied one
    int exponent_bits;  // floats
};

// In the order of the enumeration, which is that of `-d all`.
constexpr std::array<ElementType, 12> kElementTypes = {{
    {"int8", xcclInt8, 1, false, true, 0, 0},
    {"uint8", xcclUint8, 1, false, false, 0, 0},
    {"int32", xcclInt32, 4, false, true, 0, 0},
    {"uint32", xcclUint32, 4, false, false, 0, 0},
    {"int64", xcclInt64, 8, false, true, 0, 0},
    {"uint64", xcclUint64, 8, false, false, 0, 0},
    {"half", xcclFloat16, 2, true, true, 10, 5},
    {"float", xcclFloat32, 4, true, true, 23, 8},
    {"double", xcclFloat64, 8, true, true, 52, 11},
    {"bfloat16", xcclBfloat16, 2, true, true, 7, 8},
    {"f8e4m3", xcclFloat8e4m3, 1, true, true, 3, 4},
    {"f8e5m2", xcclFloat8e5m2, 1, true, true, 2, 5},
}};
constexpr int kFloatIndex = 7;

// In the order of `-o all`. kNone: the collective combines nothing.
enum class Operator { kSum, kProd, kMax, kMin, kAvg, kMulsum, kNone };
constexpr std::array<std::string_view, 7> kOperatorNames = {"sum", "prod",   "max", "min",
                                                            "avg", "mulsum", "none"};
constexpr std::string_view name_of(Operator op) {
    return kOperatorNames[static_cast<std::size_t>(op)];
}

// mulsum: what a rank's input is multiplied by.
constexpr int mulsum_scalar(int rank) {
    return rank % 2 == 0 ? 1 : 2;
}

// The bits of the element nearest to `value`, ties to even.
std::uint64_t encode_float(const ElementType& type, double value);
double decode_float(const ElementType& type, std::uint64_t bits);
// The low bytes of `bits` as a number of an integer type, sign-extended where it is signed.
std::int64_t decode_integer(const ElementType& type, std::uint64_t bits);

std::uint64_t load_bits(const ElementType& type, const std::byte* element);
void store_bits(const ElementType& type, std::uint64_t bits, std::byte* element);

// "-3", "0.25", "nan": an element as people read it, exact enough to tell neighbours apart.
std::string element_text(const ElementType& type, std::uint64_t bits);

// How many representable values apart two floats are; a NaN is infinitely far from all else.
std::uint64_t distance_in_ulps(const ElementType& type, std::uint64_t a, std::uint64_t b);

}  // namespace xccl::perf
