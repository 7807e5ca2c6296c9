// Goal: the data of the checks is exact in whatever order ranks are combined, rounding after each
// step as the library may; avg stays within its tolerance; and the checker sees every single wrong
// element. Method: every datatype and operator is folded in several orders with a rounding in each
// step, for many rank counts; single bits are flipped.
#include "data/pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "data/check.h"

namespace xccl::perf {
namespace {

const ElementType& type_of(std::string_view name) {
    return *std::find_if(kElementTypes.begin(), kElementTypes.end(),
                         [&](const ElementType& type) { return type.name == name; });
}

std::vector<std::uint64_t> bits_of(const ElementType& type, const std::vector<std::byte>& bytes) {
    std::vector<std::uint64_t> all;
    for (std::size_t i = 0; i < bytes.size(); i += type.bytes) {
        all.push_back(load_bits(type, bytes.data() + i));
    }
    return all;
}

std::vector<std::uint64_t> input_of(const Pattern& pattern, int rank, std::size_t count) {
    std::vector<std::byte> bytes(count * pattern.type.bytes);
    fill_input(pattern, rank, 0, count, bytes.data());
    return bits_of(pattern.type, bytes);
}

double apply(Operator op, double a, double b) {
    switch (op) {
        case Operator::kProd:
            return a * b;
        case Operator::kMax:
            return std::max(a, b);
        case Operator::kMin:
            return std::min(a, b);
        default:
            return a + b;
    }
}

// A rank's term, rounded to the type, and each partial result rounded to it.
std::uint64_t fold_with_rounding(const Pattern& pattern, const std::vector<int>& order,
                                 const std::vector<std::vector<std::uint64_t>>& inputs,
                                 std::size_t index) {
    const ElementType& type = pattern.type;
    const auto round = [&](double value) { return decode_float(type, encode_float(type, value)); };
    const auto term = [&](int rank) {
        double value = decode_float(type, inputs[static_cast<std::size_t>(rank)][index]);
        if (pattern.op == Operator::kMulsum) value *= mulsum_scalar(rank);
        if (pattern.op == Operator::kAvg) {
            const double reciprocal = type.type == xcclFloat64
                                          ? 1.0 / pattern.rank_count
                                          : double{1.0f / static_cast<float>(pattern.rank_count)};
            value *= reciprocal;
        }
        return round(value);
    };
    double value = term(order[0]);
    for (std::size_t i = 1; i < order.size(); ++i) {
        value = round(apply(pattern.op, value, term(order[i])));
    }
    return encode_float(type, value);
}

void expect_order_does_not_matter(const Pattern& pattern) {
    constexpr std::size_t kCount = 100;
    std::vector<std::vector<std::uint64_t>> inputs;
    for (int rank = 0; rank < pattern.rank_count; ++rank) {
        inputs.push_back(input_of(pattern, rank, kCount));
    }
    std::vector<std::byte> bytes(kCount * pattern.type.bytes);
    fill_reduced(pattern, 0, kCount, bytes.data());
    const std::vector<std::uint64_t> expected = bits_of(pattern.type, bytes);
    const std::uint64_t tolerance = pattern.op == Operator::kAvg ? kAvgToleranceUlps : 0;

    std::vector<int> order(static_cast<std::size_t>(pattern.rank_count));
    std::iota(order.begin(), order.end(), 0);
    std::mt19937 random(7);
    for (int round = 0; round < 4; ++round) {
        for (std::size_t i = 0; i < kCount; ++i) {
            const std::uint64_t got = fold_with_rounding(pattern, order, inputs, i);
            ASSERT_LE(distance_in_ulps(pattern.type, expected[i], got), tolerance)
                << pattern.type.name << " " << name_of(pattern.op) << ", " << pattern.rank_count
                << " ranks, element " << i << ": " << element_text(pattern.type, expected[i])
                << " and " << element_text(pattern.type, got);
        }
        std::shuffle(order.begin(), order.end(), random);
    }
}

TEST(Pattern, FloatResultsDoNotDependOnTheOrder) {
    for (const ElementType& type : kElementTypes) {
        if (!type.is_float) continue;
        for (int op = 0; op < static_cast<int>(Operator::kNone); ++op) {
            for (const int ranks : {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 33, 64, 100, 300}) {
                expect_order_does_not_matter({type, static_cast<Operator>(op), ranks, 5});
            }
        }
    }
}

TEST(Pattern, EveryRankMattersSomewhere) {
    for (const ElementType& type : kElementTypes) {
        const Pattern pattern{type, Operator::kSum, 40, 3};
        for (int rank = 0; rank < 40; ++rank) {
            const std::vector<std::uint64_t> input = input_of(pattern, rank, kPeriod);
            EXPECT_TRUE(
                std::any_of(input.begin(), input.end(), [](auto bits) { return bits != 0; }))
                << type.name << " rank " << rank;
        }
    }
}

TEST(Pattern, IntegersWrapAndAverage) {
    const ElementType& int8 = type_of("int8");
    for (const Operator op : {Operator::kSum, Operator::kProd, Operator::kMax, Operator::kMin,
                              Operator::kAvg, Operator::kMulsum}) {
        const Pattern pattern{int8, op, 3, 9};
        std::vector<std::byte> bytes(100);
        fill_reduced(pattern, 0, 100, bytes.data());
        for (std::size_t i = 0; i < 100; ++i) {
            std::vector<std::int8_t> x;
            for (int rank = 0; rank < 3; ++rank) {
                x.push_back(static_cast<std::int8_t>(input_of(pattern, rank, 100)[i]));
            }
            const std::int8_t sum = static_cast<std::int8_t>(x[0] + x[1] + x[2]);
            std::int8_t want = sum;
            if (op == Operator::kProd) want = static_cast<std::int8_t>(x[0] * x[1] * x[2]);
            if (op == Operator::kMax) want = *std::max_element(x.begin(), x.end());
            if (op == Operator::kMin) want = *std::min_element(x.begin(), x.end());
            if (op == Operator::kAvg) want = static_cast<std::int8_t>(sum / 3);
            if (op == Operator::kMulsum) want = static_cast<std::int8_t>(x[0] + 2 * x[1] + x[2]);
            ASSERT_EQ(static_cast<std::int8_t>(bytes[i]), want) << name_of(op) << " " << i;
        }
    }
}

TEST(Pattern, ElementsDoNotDependOnWhereFillingStarts) {
    const Pattern pattern{type_of("float"), Operator::kSum, 4, 1};
    constexpr std::size_t kCount = 5000;
    const std::vector<std::uint64_t> whole = input_of(pattern, 2, kCount);
    for (const std::size_t first : {std::size_t{1}, std::size_t{1000}, kPeriod, kPeriod + 5}) {
        std::vector<std::byte> bytes((kCount - first) * 4);
        fill_input(pattern, 2, first, kCount - first, bytes.data());
        const std::vector<std::uint64_t> rest = bits_of(pattern.type, bytes);
        EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + static_cast<long>(first)));
    }
    fill_input(pattern, 0, 0, 0, nullptr);  // nothing to fill
}

TEST(ElementTypes, EncodingAndDecodingAreInverse) {
    for (const char* name : {"half", "bfloat16", "f8e4m3", "f8e5m2"}) {
        const ElementType& type = type_of(name);
        for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << (8 * type.bytes)); ++bits) {
            const double value = decode_float(type, bits);
            if (std::isnan(value)) continue;
            ASSERT_EQ(encode_float(type, value), bits) << name << " " << value;
        }
    }
    const ElementType& f32 = type_of("float");
    for (const float value : {0.0f, -0.0f, 1.0f, 1e-45f, 3.4e38f, 0.1f, -7.25f}) {
        EXPECT_EQ(encode_float(f32, value), std::bit_cast<std::uint32_t>(value));
        EXPECT_EQ(decode_float(f32, std::bit_cast<std::uint32_t>(value)), value);
    }
}

TEST(ElementTypes, RoundingIsToNearestEven) {
    EXPECT_EQ(decode_float(type_of("f8e4m3"), encode_float(type_of("f8e4m3"), 17)), 16);
    EXPECT_EQ(decode_float(type_of("f8e4m3"), encode_float(type_of("f8e4m3"), 19)), 20);
    EXPECT_EQ(decode_float(type_of("f8e4m3"), encode_float(type_of("f8e4m3"), 1e9)), 448);
    EXPECT_TRUE(std::isinf(decode_float(type_of("f8e5m2"), encode_float(type_of("f8e5m2"), 1e9))));
    EXPECT_EQ(decode_float(type_of("bfloat16"), encode_float(type_of("bfloat16"), 257)), 256);
    EXPECT_EQ(distance_in_ulps(type_of("half"), 0x8001, 0x0002), 3u);
}

TEST(Check, SeesEverySingleFlippedBit) {
    for (const char* name : {"int8", "half", "float", "uint64"}) {
        const Pattern pattern{type_of(name), Operator::kSum, 3, 2};
        constexpr std::size_t kCount = 2 * kPeriod + 10;
        std::vector<std::byte> bytes(kCount * pattern.type.bytes);
        fill_reduced(pattern, 4, kCount, bytes.data());
        const Segment segment{0, kCount, Segment::kReduced, 4};
        EXPECT_EQ(check_segment(pattern, segment, bytes.data()).wrong_count, 0u);
        for (const std::size_t index : {std::size_t{0}, kPeriod - 1, kPeriod, kCount - 1}) {
            std::byte& victim = bytes[index * pattern.type.bytes];
            victim ^= std::byte{1};
            const CheckResult result = check_segment(pattern, segment, bytes.data());
            EXPECT_EQ(result.wrong_count, 1u) << name;
            ASSERT_TRUE(result.first);
            EXPECT_EQ(result.first->index, index);
            EXPECT_NE(result.first->expected, result.first->got);
            victim ^= std::byte{1};
        }
    }
}

TEST(Check, SeesChunksThatLandInTheWrongPlace) {
    const Pattern pattern{type_of("float"), Operator::kNone, 2, 2};
    constexpr std::size_t kCount = 1 << 16;
    for (std::size_t shift = 16; shift < kCount / 2; shift *= 2) {
        std::vector<std::byte> bytes(kCount * 4);
        fill_input(pattern, 1, shift, kCount, bytes.data());
        const CheckResult result = check_segment(pattern, {0, kCount, 1, 0}, bytes.data());
        EXPECT_GT(result.wrong_count, kCount / 2);
    }
}

TEST(Check, ToleranceIsForAveragesOfFloatsOnly) {
    for (const Operator op : {Operator::kAvg, Operator::kSum}) {
        const Pattern pattern{type_of("float"), op, 3, 2};
        std::vector<std::byte> bytes(40);
        fill_reduced(pattern, 0, 10, bytes.data());
        const std::uint64_t bits = load_bits(pattern.type, bytes.data());
        store_bits(pattern.type, bits + 2, bytes.data());
        const Segment segment{0, 10, Segment::kReduced, 0};
        EXPECT_EQ(check_segment(pattern, segment, bytes.data()).wrong_count,
                  op == Operator::kAvg ? 0u : 1u);
        store_bits(pattern.type, bits + 3, bytes.data());
        EXPECT_EQ(check_segment(pattern, segment, bytes.data()).wrong_count, 1u);
    }
}

TEST(Check, SeesWritesOutsideTheBuffer) {
    std::vector<std::byte> guard(64);
    poison(guard.data(), guard.size());
    EXPECT_EQ(check_poison(guard.data(), guard.size(), 100).wrong_count, 0u);
    guard[63] ^= std::byte{0x10};
    const CheckResult result = check_poison(guard.data(), guard.size(), 100);
    EXPECT_EQ(result.wrong_count, 1u);
    EXPECT_EQ(result.first->index, 100u);
}

}  // namespace
}  // namespace xccl::perf
