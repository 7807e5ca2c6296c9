// Goal: reduce() gives the bits that its definition gives, for every datatype, operator, number of
// sources, width, scale and alignment, with every instruction set that this processor has; and
// touches nothing else.
// Method: random elements (half of them any bits at all: NaNs, infinities, subnormals), compared
// with the recursion of reference_reduction.h; guard bytes around every destination.
#include "device/kernels.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <string>
#include <tuple>

#include "base/datatypes.h"
#include "device/reduce_table.h"
#include "tests/device/reference_reduction.h"

namespace xccl {
namespace {

constexpr std::size_t kGuardBytes = 64;
constexpr std::byte kGuard{0xa5};

// Bytes at any alignment, with guards on both sides.
class Buffer {
  public:
    Buffer(std::size_t bytes, std::size_t misalignment)
        : offset_(kGuardBytes + misalignment),
          size_(bytes),
          storage_(offset_ + bytes + kGuardBytes, kGuard) {}
    std::byte* data() { return storage_.data() + offset_; }
    bool guards_are_intact() const {
        const auto intact = [](std::byte b) { return b == kGuard; };
        const auto end = storage_.begin() + static_cast<std::ptrdiff_t>(offset_ + size_);
        return std::all_of(storage_.begin(),
                           storage_.end() - static_cast<std::ptrdiff_t>(size_ + kGuardBytes),
                           intact) &&
               std::all_of(end, storage_.end(), intact);
    }

  private:
    std::size_t offset_;
    std::size_t size_;
    std::vector<std::byte> storage_;
};

template <typename T>
T random_element(std::mt19937_64& random) {
    const std::uint64_t bits = random();
    if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(bits);
    } else {
        if (random() % 2 == 0) {
            T any;
            std::memcpy(&any, &bits, sizeof any);
            return any;
        }
        const double value = std::normal_distribution<double>(0, 4)(random);
        if constexpr (std::is_floating_point_v<T>) return static_cast<T>(value);
        if constexpr (!std::is_floating_point_v<T>) return narrow<T>(static_cast<float>(value));
    }
}

template <typename T>
void fill(std::byte* data, std::size_t count, std::mt19937_64& random) {
    for (std::size_t i = 0; i < count; ++i) {
        reference::store_element(data, i, random_element<T>(random));
    }
}

struct Shape {
    std::size_t source_count = 2;
    std::size_t destination_count = 1;
    std::size_t count = 0;
    bool some_wide = false;    // every third source, every second destination
    bool some_scaled = false;  // every second source
    bool in_place = false;     // the first destination is the first source of its width
    std::size_t misalignment = 0;
    bool as_pair = false;  // by pair_kernel()
};

std::string describe(const Shape& s, ReduceKind kind) {
    return fmt::format(
        "kind {}, {} sources, {} destinations, count {}, wide {}, scaled {}, in place {}, "
        "misalignment {}",
        static_cast<int>(kind), s.source_count, s.destination_count, s.count, s.some_wide,
        s.some_scaled, s.in_place, s.misalignment);
}

// One reduction of random elements, run and compared.
template <typename T>
class Trial {
    using C = typename reference::Computed<T>::type;

  public:
    Trial(xcclDataType_t type, ReduceKind kind, const Shape& shape, std::mt19937_64& random)
        : shape_(shape) {
        for (std::size_t s = 0; s < shape.source_count; ++s) {
            const bool wide = shape.some_wide && s % 3 == 2;
            Buffer& buffer = add_buffer(wide, s);
            wide ? fill<C>(buffer.data(), shape.count, random)
                 : fill<T>(buffer.data(), shape.count, random);
            sources_.push_back({buffer.data(), wide, shape.some_scaled && s % 2 == 0});
        }
        for (std::size_t d = 0; d < shape.destination_count; ++d) {
            const bool wide = shape.some_wide && d % 2 == 1;
            std::byte* data = d == 0 && shape.in_place ? const_cast<std::byte*>(sources_[0].data)
                                                       : add_buffer(wide, 3 * d + 1).data();
            destinations_.push_back({data, wide});
        }
        reduction_ = {type, kind, sources_, destinations_, shape.count, Scale{0.37, 11}};
    }

    void run_and_compare() {
        std::vector<C> expected(shape_.count);
        for (std::size_t i = 0; i < shape_.count; ++i) {
            expected[i] = reference::result_at<T>(reduction_, i);
        }
        const bool copied = shape_.source_count == 1 && !shape_.some_scaled;
        if (shape_.as_pair) {
            const PairKernel kernel = pair_kernel(reduction_.type, reduction_.kind);
            kernel(destinations_[0].data, sources_[0].data, sources_[1].data, shape_.count);
        } else {
            reduce(reduction_);
        }
        for (const ReduceDestination& destination : destinations_) {
            for (std::size_t i = 0; i < shape_.count; ++i) {
                if (destination.wide) {
                    compare(reference::load_element<C>(destination.data, i), expected[i], i);
                } else if (!copied) {
                    compare(reference::load_element<T>(destination.data, i),
                            reference::rounded<T>(expected[i]), i);
                } else {  // bits as they are, NaNs included
                    compare(reference::load_element<T>(destination.data, i),
                            reference::load_element<T>(sources_[0].data, i), i);
                }
                if (::testing::Test::HasFailure()) return;
            }
        }
        for (const Buffer& buffer : buffers_) ASSERT_TRUE(buffer.guards_are_intact());
    }

  private:
    Buffer& add_buffer(bool wide, std::size_t index) {
        const std::size_t bytes = shape_.count * (wide ? sizeof(C) : sizeof(T));
        return buffers_.emplace_back(bytes, shape_.misalignment * (index + 1) % 8);
    }

    template <typename E>
    static void compare(E actual, E expected, std::size_t index) {
        if (std::memcmp(&actual, &expected, sizeof(E)) == 0) return;
        std::uint64_t actual_bits = 0;
        std::uint64_t expected_bits = 0;
        std::memcpy(&actual_bits, &actual, sizeof(E));
        std::memcpy(&expected_bits, &expected, sizeof(E));
        FAIL() << fmt::format("element {}: {:x}, expected {:x}", index, actual_bits, expected_bits);
    }

    Shape shape_;
    std::deque<Buffer> buffers_;
    std::vector<ReduceSource> sources_;
    std::vector<ReduceDestination> destinations_;
    Reduction reduction_{};
};

template <typename T>
void try_shape(xcclDataType_t type, const Shape& shape) {
    std::mt19937_64 random(shape.count * 1009 + shape.source_count);
    for (int kind = 0; kind < kReduceKindCount; ++kind) {
        SCOPED_TRACE(describe(shape, static_cast<ReduceKind>(kind)));
        Trial<T>(type, static_cast<ReduceKind>(kind), shape, random).run_and_compare();
        if (::testing::Test::HasFailure()) return;
    }
}

template <typename T>
void try_all_shapes(xcclDataType_t type) {
    for (const std::size_t source_count : {1, 2, 3, 4, 5, 8, 11, 17, 64}) {
        for (const std::size_t count : {0, 1, 7, 64, 1031}) {
            for (int variant = 0; variant < 16; ++variant) {
                const Shape shape{.source_count = source_count,
                                  .destination_count = 1 + (variant & 1) * 2u,
                                  .count = count,
                                  .some_wide = (variant & 2) != 0,
                                  .some_scaled = (variant & 4) != 0,
                                  .in_place = (variant & 8) != 0,
                                  .misalignment = (source_count + variant) % 8};
                // Long ones with many sources differ from short ones in nothing but the blocks.
                if (count > 64 && source_count > 11 && variant % 5 != 0) continue;
                try_shape<T>(type, shape);
                if (::testing::Test::HasFailure()) return;
            }
            if (source_count != 2 || accumulate_type(type) != type) continue;
            for (const std::size_t misalignment : {0, 3}) {
                try_shape<T>(type, {.count = count,
                                    .in_place = misalignment == 0,
                                    .misalignment = misalignment,
                                    .as_pair = true});
            }
        }
    }
}

// A vector's worth, and what is left over, before and behind.
template <typename T>
void try_short_lengths(xcclDataType_t type) {
    for (std::size_t count = 0; count <= 200; ++count) {
        for (const std::size_t source_count : {2, 3, 4}) {
            try_shape<T>(type, {.source_count = source_count,
                                .count = count,
                                .in_place = count % 2 == 0,
                                .misalignment = count / 2 % 8});
            if (::testing::Test::HasFailure()) return;
        }
    }
}

// Every pair of two 8-bit elements; of 16 bits every element with its neighbours, and with those
// whose sums and products are where rounding is hard: subnormal, halfway, infinite, not a number.
template <typename T>
void try_all_pairs(xcclDataType_t type) {
    using Bits = decltype(T::bits);
    constexpr std::size_t kValues = std::size_t{1} << (8 * sizeof(Bits));
    std::vector<Bits> others;
    if constexpr (sizeof(Bits) == 1) {
        for (std::size_t i = 0; i < kValues; ++i) others.push_back(static_cast<Bits>(i));
    } else {
        const Bits one = narrow<T>(1).bits;
        const Bits infinity = narrow<T>(INFINITY).bits;
        others = {0, 1, 2, 3, one, infinity, narrow<T>(0.5f).bits, narrow<T>(0.75f).bits};
        others.push_back(static_cast<Bits>(one + 1));
        others.push_back(static_cast<Bits>(infinity - 1));
        others.push_back(static_cast<Bits>(infinity + 1));
        for (std::size_t i = others.size(); i > 0; --i) {
            others.push_back(static_cast<Bits>(others[i - 1] | kValues / 2));
        }
    }
    std::vector<T> all(kValues);
    for (std::size_t i = 0; i < kValues; ++i) all[i].bits = static_cast<Bits>(i);
    std::vector<T> result(kValues);
    for (const Bits bits : others) {
        const std::vector<T> other(kValues, T{bits});
        const ReduceSource sources[] = {
            {reinterpret_cast<const std::byte*>(all.data()), false, false},
            {reinterpret_cast<const std::byte*>(other.data()), false, false}};
        const ReduceDestination to[] = {{reinterpret_cast<std::byte*>(result.data()), false}};
        for (int kind = 0; kind < kReduceKindCount; ++kind) {
            const Reduction reduction{type,   static_cast<ReduceKind>(kind), sources, to, kValues,
                                      Scale{}};
            reduce(reduction);
            for (std::size_t i = 0; i < kValues; ++i) {
                const T expected = narrow<T>(reference::result_at<T>(reduction, i));
                ASSERT_EQ(result[i].bits, expected.bits)
                    << fmt::format("kind {}: {:x} and {:x}", kind, i, bits);
            }
        }
    }
}

// Float32 rounded to T: random bits, and what lies just above, at and below each number of T and
// the middle between it and the next.
template <typename T>
void try_conversions(xcclDataType_t type) {
    using Bits = decltype(T::bits);
    constexpr std::size_t kValues = std::size_t{1} << (8 * sizeof(Bits));
    std::mt19937_64 random(7);
    std::vector<float> wide;
    wide.reserve(7 * kValues);
    for (std::size_t i = 0; i < kValues; ++i) {
        const float value = widen(T{static_cast<Bits>(i)});
        const float next = widen(T{static_cast<Bits>(i + 1)});
        const float middle = value + (next - value) / 2;
        for (const float at : {value, middle}) {
            wide.insert(wide.end(),
                        {std::nextafterf(at, -INFINITY), at, std::nextafterf(at, INFINITY)});
        }
        wide.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
    }
    std::vector<T> result(wide.size());
    const ReduceSource source[] = {{reinterpret_cast<const std::byte*>(wide.data()), true, false}};
    const ReduceDestination to[] = {{reinterpret_cast<std::byte*>(result.data()), false}};
    reduce({type, ReduceKind::kSum, source, to, wide.size(), Scale{}});
    for (std::size_t i = 0; i < wide.size(); ++i) {
        ASSERT_EQ(result[i].bits, narrow<T>(wide[i]).bits) << fmt::format("of {:a}", wide[i]);
    }
}

template <typename T>
void try_everything(xcclDataType_t type) {
    try_all_shapes<T>(type);
    try_short_lengths<T>(type);
    if constexpr (!std::is_arithmetic_v<T>) {
        try_all_pairs<T>(type);
        try_conversions<T>(type);
    }
}

class EveryKernel
    : public ::testing::TestWithParam<std::tuple<const ReduceTable*, xcclDataType_t>> {
  protected:
    void SetUp() override { ASSERT_TRUE(use_instruction_set(std::get<0>(GetParam())->name)); }
    void TearDown() override { use_instruction_set(usable_reduce_tables().front()->name); }
};

TEST_P(EveryKernel, GivesTheBitsOfTheDefinition) {
    switch (const xcclDataType_t type = std::get<1>(GetParam())) {
        case xcclInt8:
            return try_everything<std::int8_t>(type);
        case xcclUint8:
            return try_everything<std::uint8_t>(type);
        case xcclInt32:
            return try_everything<std::int32_t>(type);
        case xcclUint32:
            return try_everything<std::uint32_t>(type);
        case xcclInt64:
            return try_everything<std::int64_t>(type);
        case xcclUint64:
            return try_everything<std::uint64_t>(type);
        case xcclFloat16:
            return try_everything<Float16>(type);
        case xcclFloat32:
            return try_everything<float>(type);
        case xcclFloat64:
            return try_everything<double>(type);
        case xcclBfloat16:
            return try_everything<Bfloat16>(type);
        case xcclFloat8e4m3:
            return try_everything<Float8e4m3>(type);
        case xcclFloat8e5m2:
            return try_everything<Float8e5m2>(type);
        default:
            FAIL() << "no test for datatype " << type;
    }
}

std::vector<xcclDataType_t> all_datatypes() {
    std::vector<xcclDataType_t> types;
    for (int type = 0; type < xcclNumTypes; ++type) {
        types.push_back(static_cast<xcclDataType_t>(type));
    }
    return types;
}

INSTANTIATE_TEST_SUITE_P(All, EveryKernel,
                         ::testing::Combine(::testing::ValuesIn(usable_reduce_tables().begin(),
                                                                usable_reduce_tables().end()),
                                            ::testing::ValuesIn(all_datatypes())),
                         [](const auto& info) {
                             return fmt::format("{}_{}", std::get<0>(info.param)->name,
                                                datatype_name(std::get<1>(info.param)));
                         });

template <typename T>
T reduce_two(xcclDataType_t type, ReduceKind kind, T a, T b) {
    T result{};
    const ReduceSource sources[] = {{reinterpret_cast<const std::byte*>(&a), false, false},
                                    {reinterpret_cast<const std::byte*>(&b), false, false}};
    const ReduceDestination destinations[] = {{reinterpret_cast<std::byte*>(&result), false}};
    reduce({type, kind, sources, destinations, 1, Scale{}});
    return result;
}

TEST(ReduceExtremes, ZerosAreOrdered) {
    for (const auto& [a, b] : {std::pair{-0.0f, 0.0f}, std::pair{0.0f, -0.0f}}) {
        EXPECT_FALSE(std::signbit(reduce_two(xcclFloat32, ReduceKind::kMax, a, b)));
        EXPECT_TRUE(std::signbit(reduce_two(xcclFloat32, ReduceKind::kMin, a, b)));
    }
}

TEST(ReduceExtremes, AnyNanBecomesTheCanonicalOne) {
    const float odd_nan = std::bit_cast<float>(0xffc12345u);
    for (const ReduceKind kind :
         {ReduceKind::kSum, ReduceKind::kProd, ReduceKind::kMax, ReduceKind::kMin}) {
        for (const auto& [a, b] : {std::pair{odd_nan, 1.0f}, std::pair{1.0f, odd_nan}}) {
            EXPECT_EQ(std::bit_cast<std::uint32_t>(reduce_two(xcclFloat32, kind, a, b)),
                      0x7fc00000u);
        }
    }
    // The processor's own default NaN is negative.
    const float sum = reduce_two(xcclFloat32, ReduceKind::kSum, INFINITY, -INFINITY);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(sum), 0x7fc00000u);
}

TEST(ReduceExtremes, IntegersWrap) {
    const std::int32_t top = std::numeric_limits<std::int32_t>::max();
    EXPECT_EQ(reduce_two<std::int32_t>(xcclInt32, ReduceKind::kSum, top, 1),
              std::numeric_limits<std::int32_t>::min());
    EXPECT_EQ(reduce_two<std::int32_t>(xcclInt32, ReduceKind::kProd, top, top), 1);
}

// 2048 + 1 rounds back to 2048 in float16; kept in float32 the two ones count.
TEST(ReducePrecision, SmallFloatsAccumulateInFloat32) {
    const Float16 terms[] = {narrow<Float16>(2048), narrow<Float16>(1), narrow<Float16>(1)};
    std::vector<ReduceSource> sources;
    for (const Float16& term : terms) {
        sources.push_back({reinterpret_cast<const std::byte*>(&term), false, false});
    }
    Float16 result{};
    const ReduceDestination destinations[] = {{reinterpret_cast<std::byte*>(&result), false}};
    reduce({xcclFloat16, ReduceKind::kSum, sources, destinations, 1, Scale{}});
    EXPECT_EQ(widen(result), 2050.0f);
}

template <typename T>
void expect_quotients(xcclDataType_t type, std::int64_t divisor) {
    std::mt19937_64 random(static_cast<std::uint64_t>(divisor));
    std::vector<T> values = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), T{0},
                             T{1}, static_cast<T>(-1)};
    for (int i = 0; i < 100; ++i) values.push_back(static_cast<T>(random()));
    std::vector<std::byte> bytes(1 + values.size() * sizeof(T));
    std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(T));
    divide_integers(type, bytes.data() + 1, values.size(), divisor);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto expected = static_cast<T>(static_cast<__int128>(values[i]) / divisor);
        EXPECT_EQ(reference::load_element<T>(bytes.data() + 1, i), expected)
            << +values[i] << " / " << divisor;
    }
}

TEST(DivideIntegers, TruncatesTowardsZero) {
    for (const std::int64_t divisor : {1, 2, 3, 7, 127, 128, 129, 255, 256, 1000, 65536}) {
        expect_quotients<std::int8_t>(xcclInt8, divisor);
        expect_quotients<std::uint8_t>(xcclUint8, divisor);
        expect_quotients<std::int32_t>(xcclInt32, divisor);
        expect_quotients<std::uint32_t>(xcclUint32, divisor);
        expect_quotients<std::int64_t>(xcclInt64, divisor);
        expect_quotients<std::uint64_t>(xcclUint64, divisor);
    }
    expect_quotients<std::int32_t>(xcclInt32, std::int64_t{1} << 31);
    expect_quotients<std::uint32_t>(xcclUint32, std::int64_t{1} << 40);
}

TEST(DivideIntegers, LeavesFloatsAlone) {
    float value = 6;
    divide_integers(xcclFloat32, reinterpret_cast<std::byte*>(&value), 1, 2);
    EXPECT_EQ(value, 6);
}

TEST(CopyBytes, CopiesAndLeavesTheRest) {
    Buffer from(1000, 3);
    Buffer to(1000, 5);
    std::mt19937_64 random(1);
    fill<std::uint8_t>(from.data(), 1000, random);
    copy_bytes(to.data(), from.data(), 1000);
    EXPECT_TRUE(std::equal(from.data(), from.data() + 1000, to.data()));
    EXPECT_TRUE(to.guards_are_intact());
    copy_bytes(to.data(), to.data(), 1000);
    EXPECT_TRUE(std::equal(from.data(), from.data() + 1000, to.data()));
}

}  // namespace
}  // namespace xccl
