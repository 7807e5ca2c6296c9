// Goal: the kernels are chosen by what the processor can do, and the choice can be forced. (That
// all of them give the same bits is proved by kernels_test, which compares each with one
// reference.)
#include "device/reduce_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/float_types.h"

namespace xccl {
namespace {

TEST(ReduceTable, EveryKernelIsThere) {
    for (const ReduceTable* table : usable_reduce_tables()) {
        for (const auto& kernels_of_type : table->kernels) {
            for (const auto& kernels : kernels_of_type) {
                EXPECT_NE(kernels.reduce, nullptr) << table->name;
                EXPECT_NE(kernels.reduce_two, nullptr) << table->name;
            }
        }
    }
}

TEST(ReduceTable, TheBestUsableIsTheDefault) {
    EXPECT_STREQ(instruction_set(), usable_reduce_tables().front()->name);
    EXPECT_STREQ(usable_reduce_tables().back()->name, "generic");
}

TEST(ReduceTable, AnyUsableOneCanBeForced) {
    for (const ReduceTable* table : usable_reduce_tables()) {
        EXPECT_TRUE(use_instruction_set(table->name));
        EXPECT_STREQ(instruction_set(), table->name);
    }
    EXPECT_FALSE(use_instruction_set("mmx"));
    EXPECT_STREQ(instruction_set(), "generic");
    EXPECT_TRUE(use_instruction_set(usable_reduce_tables().front()->name));
}

// Every pair there is, since sums of two of them have a way of their own on some processors.
// Covers: device/reduce_avx512_fp16.cc
template <typename T>
void expect_all_sums_of_two(xcclDataType_t type) {
    constexpr std::size_t kValues = 256;
    std::vector<T> a(kValues * kValues);
    std::vector<T> b(kValues * kValues);
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i].bits = static_cast<std::uint8_t>(i / kValues);
        b[i].bits = static_cast<std::uint8_t>(i % kValues);
    }
    for (const ReduceTable* table : usable_reduce_tables()) {
        std::vector<T> sum(a.size());
        std::vector<T> copy(a.size());
        // An odd number, and the last one alone.
        for (const auto& [first, count] : {std::pair{0UL, a.size() - 1}, {a.size() - 1, 1UL}}) {
            const auto bytes_at = [first = first](auto& values) {
                return reinterpret_cast<std::byte*>(values.data()) + first;
            };
            const ReduceSource from[] = {{bytes_at(a), false, false}, {bytes_at(b), false, false}};
            const ReduceDestination to[] = {{bytes_at(sum), false}, {bytes_at(copy), false}};
            const Reduction reduction{type, ReduceKind::kSum, from, to, count, {1, 1}};
            table->kernels[type][static_cast<int>(ReduceKind::kSum)].reduce(reduction);
        }
        for (std::size_t i = 0; i < a.size(); ++i) {
            const T expected = narrow<T>(widen(a[i]) + widen(b[i]));
            ASSERT_EQ(sum[i].bits, expected.bits) << table->name << ": " << i;
            ASSERT_EQ(copy[i].bits, expected.bits) << table->name << ": " << i;
        }
    }
}

TEST(ReduceTable, AllSumsOfTwoFloat8AreThoseOfFloat32) {
    expect_all_sums_of_two<Float8e4m3>(xcclFloat8e4m3);
    expect_all_sums_of_two<Float8e5m2>(xcclFloat8e5m2);
}

// Every bfloat16 with some others: zeros, subnormals, neighbours of powers of two, ties, the
// largest ones, infinities and NaNs, of either sign.
TEST(ReduceTable, SumsOfTwoBfloat16AreThoseOfFloat32) {
    constexpr std::size_t kValues = 0x10000;
    constexpr std::uint16_t kOthers[] = {0,      1,      2,      0x7f,   0x80,   0x81,   0xff,
                                         0x100,  0x3b80, 0x3c01, 0x3f7f, 0x3f80, 0x3f81, 0x4000,
                                         0x4380, 0x7eff, 0x7f7f, 0x7f80, 0x7f81, 0x7fc0, 0x7fff};
    std::vector<Bfloat16> a(kValues);
    std::vector<Bfloat16> b(kValues);
    std::vector<Bfloat16> sum(kValues);
    for (std::size_t i = 0; i < kValues; ++i) a[i].bits = static_cast<std::uint16_t>(i);
    const auto bytes_of = [](auto& values) { return reinterpret_cast<std::byte*>(values.data()); };
    for (const std::uint16_t sign : {0, 0x8000}) {
        for (const std::uint16_t other : kOthers) {
            b.assign(kValues, {static_cast<std::uint16_t>(other | sign)});
            for (const ReduceTable* table : usable_reduce_tables()) {
                const ReduceSource from[] = {{bytes_of(a), false, false},
                                             {bytes_of(b), false, false}};
                const ReduceDestination to[] = {{bytes_of(sum), false}};
                const Reduction reduction{xcclBfloat16, ReduceKind::kSum, from,
                                          to,           kValues,          {1, 1}};
                table->kernels[xcclBfloat16][static_cast<int>(ReduceKind::kSum)].reduce(reduction);
                for (std::size_t i = 0; i < kValues; ++i) {
                    const Bfloat16 expected = narrow<Bfloat16>(widen(a[i]) + widen(b[i]));
                    ASSERT_EQ(sum[i].bits, expected.bits)
                        << table->name << ": " << i << " + " << b[i].bits;
                }
            }
        }
    }
}

}  // namespace
}  // namespace xccl
