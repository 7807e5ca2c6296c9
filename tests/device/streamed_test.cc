// Goal: what is streamed has the bits of reduce() and copy_bytes(), for every datatype, width and
// alignment, around the ends of lines and blocks, in place, and nothing else is touched.
// Method: random bytes, the same operands by both ways, with guard bytes behind and before.
#include "device/streamed.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/datatypes.h"

namespace xccl {
namespace {

constexpr std::size_t kMargin = 128;

std::vector<std::byte> random_bytes(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    return bytes;
}

struct StreamedShape {
    std::size_t count;
    std::size_t misalignment;
    bool wide;  // the second source and the second destination
};

void expect_same_bits(xcclDataType_t type, const StreamedShape& shape) {
    const std::size_t room = shape.count * element_bytes(accumulate_type(type)) + 2 * kMargin;
    const std::vector<std::byte> a = random_bytes(room, 1);
    const std::vector<std::byte> b = random_bytes(room, 2);
    const ReduceSource sources[] = {{a.data() + 3, false, false}, {b.data(), shape.wide, true}};
    std::vector<std::byte> to[2][2] = {{random_bytes(room, 3), random_bytes(room, 4)},
                                       {random_bytes(room, 3), random_bytes(room, 4)}};
    for (const bool streamed : {false, true}) {
        const std::size_t at = kMargin + shape.misalignment;
        const ReduceDestination destinations[] = {{to[streamed][0].data() + at, false},
                                                  {to[streamed][1].data() + at, shape.wide}};
        const Reduction reduction{type,         ReduceKind::kSum, sources,
                                  destinations, shape.count,      Scale{0.75, 3}};
        streamed ? reduce_streamed(reduction) : reduce(reduction);
    }
    EXPECT_EQ(to[0][0], to[1][0]);
    EXPECT_EQ(to[0][1], to[1][1]);
}

TEST(ReduceStreamed, HasTheBitsOfReduce) {
    for (int type = 0; type < xcclNumTypes; ++type) {
        for (const std::size_t count : {0, 1, 7, 63, 64, 65, 511, 512, 513, 1023, 5000}) {
            for (const std::size_t misalignment : {0, 1, 4, 8, 56}) {
                for (const bool wide : {false, true}) {
                    SCOPED_TRACE(testing::Message() << "type " << type << ", " << count << " at "
                                                    << misalignment << ", wide " << wide);
                    expect_same_bits(static_cast<xcclDataType_t>(type),
                                     {count, misalignment, wide});
                    if (::testing::Test::HasFailure()) return;
                }
            }
        }
    }
}

TEST(ReduceStreamed, InPlace) {
    std::vector<float> a(3000, 1);
    const std::vector<float> b(3000, 2);
    const ReduceSource sources[] = {{reinterpret_cast<const std::byte*>(a.data()), false, false},
                                    {reinterpret_cast<const std::byte*>(b.data()), false, false}};
    const ReduceDestination to[] = {{reinterpret_cast<std::byte*>(a.data()), false}};
    reduce_streamed({xcclFloat32, ReduceKind::kSum, sources, to, a.size(), Scale{}});
    EXPECT_EQ(a, std::vector<float>(3000, 3));
}

TEST(CopyBytesStreamed, CopiesAndLeavesTheRest) {
    for (const std::size_t bytes : {0, 1, 63, 64, 65, 127, 128, 1000, 4096}) {
        for (std::size_t misalignment = 0; misalignment < 65; ++misalignment) {
            const std::vector<std::byte> from = random_bytes(bytes + 5, 5);
            std::vector<std::byte> to = random_bytes(bytes + 2 * kMargin, 6);
            std::vector<std::byte> expected = to;
            const std::size_t at = misalignment;
            std::copy_n(from.data() + 5, bytes, expected.data() + at);
            copy_bytes_streamed(to.data() + at, from.data() + 5, bytes);
            ASSERT_EQ(to, expected) << bytes << " at " << misalignment;
        }
    }
}

}  // namespace
}  // namespace xccl
