// Goal: what is streamed has the bits of reduce() and copy_bytes(), for every datatype, width and
// alignment, around the ends of lines and blocks, in place, and nothing else is touched.
// Method: random bytes, the same operands by both ways, with guard bytes behind and before.
#include "device/streamed.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

#include "base/datatypes.h"
#include "device/reduce_table.h"

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

// Sources that are combined as they are, by each set of instructions, to destinations that begin at
// places of their own within a line, some of them kept, one of these where the first source lies.
struct PlainShape {
    xcclDataType_t type;
    ReduceKind kind;
    std::size_t source_count;
    std::size_t count;
    std::vector<std::size_t> streamed_at;
    std::size_t kept_count;
    bool taken;
};

struct alignas(64) Line {
    std::array<std::byte, 64> bytes;
    bool operator==(const Line&) const = default;
};

std::vector<Line> random_lines(std::size_t bytes, unsigned seed) {
    const std::vector<std::byte> random = random_bytes(bytes / sizeof(Line) * sizeof(Line), seed);
    std::vector<Line> lines(random.size() / sizeof(Line));
    std::memcpy(lines.data(), random.data(), random.size());
    return lines;
}

void expect_same_bits_of_plain(const PlainShape& shape) {
    const std::size_t room = shape.count * element_bytes(shape.type) + 3 * kMargin;
    std::vector<std::vector<Line>> results[2];
    for (const bool streamed : {false, true}) {
        std::vector<std::vector<Line>>& memory = results[streamed];
        const auto place = [&](std::size_t at) {
            memory.push_back(random_lines(room, static_cast<unsigned>(memory.size())));
            return memory.back().data()->bytes.data() + sizeof(Line) + at;
        };
        std::vector<ReduceSource> sources;
        std::vector<ReduceDestination> kept, to;
        for (std::size_t s = 0; s < shape.source_count; ++s) {
            sources.push_back({.data = place(5 * s),
                               .wide = false,
                               .scaled = false,
                               .taken = shape.taken && s == 0});
        }
        for (std::size_t k = 0; k < shape.kept_count; ++k) {
            kept.push_back(
                {k == 0 ? const_cast<std::byte*>(sources[0].data) : place(k + 8), false});
        }
        for (const std::size_t at : shape.streamed_at) to.push_back({place(at), false});
        std::vector<ReduceDestination> all = kept;
        all.insert(all.end(), to.begin(), to.end());
        Reduction reduction{shape.type, shape.kind, sources, all, shape.count, Scale{}};
        if (streamed) {
            reduction.destinations = to;
            reduce_streamed(reduction, kept);
        } else {
            reduce(reduction);
        }
    }
    EXPECT_TRUE(results[0] == results[1]);
}

TEST(ReduceStreamed, CombinesPlainSourcesInRegisters) {
    const std::vector<std::size_t> places[] = {{0}, {8, 8}, {8, 72}, {3}, {0, 16}, {0, 0, 0, 0}};
    for (const ReduceTable* const table : usable_reduce_tables()) {
        ASSERT_TRUE(use_instruction_set(table->name));
        for (int type = 0; type < xcclNumTypes; ++type) {
            for (int kind = 0; kind < kReduceKindCount; ++kind) {
                for (const std::size_t source_count : {2, 3, 4, 5}) {
                    for (const std::size_t count : {1, 127, 1500}) {
                        for (std::size_t p = 0; p < std::size(places); ++p) {
                            SCOPED_TRACE(testing::Message()
                                         << table->name << ", type " << type << ", kind " << kind
                                         << ", " << count << " of " << source_count
                                         << " sources, places " << p);
                            expect_same_bits_of_plain({.type = static_cast<xcclDataType_t>(type),
                                                       .kind = static_cast<ReduceKind>(kind),
                                                       .source_count = source_count,
                                                       .count = count,
                                                       .streamed_at = places[p],
                                                       .kept_count = (count + p) % 3,
                                                       .taken = p % 2 == 1});
                            if (::testing::Test::HasFailure()) return;
                        }
                    }
                }
            }
        }
    }
    ASSERT_TRUE(use_instruction_set(usable_reduce_tables().front()->name));
}

// Which kinds have a way through registers is a matter of the code's size; these must have one.
TEST(ReduceStreamed, HasKernelsOfTwo) {
    for (int type = 0; type < xcclNumTypes; ++type) {
        const bool is_small = accumulate_type(static_cast<xcclDataType_t>(type)) != type;
        for (const ReduceTable* const table : usable_reduce_tables()) {
            for (int kind = 0; kind < kReduceKindCount; ++kind) {
                const auto& kernels = table->kernels[type][kind];
                const bool sums_small = std::string_view(table->name) == "avx512_fp16" &&
                                        kind == static_cast<int>(ReduceKind::kSum);
                EXPECT_TRUE((is_small && !sums_small) || kernels.stream[2] != nullptr)
                    << type << ", " << kind << ", " << table->name;
                EXPECT_EQ(kernels.stream[0], nullptr);
                EXPECT_EQ(kernels.stream[1], nullptr);
            }
        }
    }
    EXPECT_EQ(stream_kernel(xcclFloat32, ReduceKind::kSum, kMostFoldSources + 1), nullptr);
}

// What is kept may be wider than what is streamed, as where sums travel in a wider type.
TEST(ReduceStreamed, KeepsWhatIsWider) {
    constexpr std::size_t kCount = 3001;
    const std::vector<std::byte> a = random_bytes(kCount * sizeof(float), 7);
    const std::vector<std::byte> b = random_bytes(kCount * sizeof(float), 8);
    const ReduceSource sources[] = {{a.data(), false, false}, {b.data(), true, false}};
    std::vector<std::byte> wide[2], narrow[2];
    for (const bool streamed : {false, true}) {
        wide[streamed].resize(kCount * sizeof(float));
        narrow[streamed].resize(kCount * sizeof(std::uint16_t));
        const ReduceDestination kept[] = {{wide[streamed].data(), true}};
        const ReduceDestination to[] = {{narrow[streamed].data(), false}};
        Reduction reduction{xcclBfloat16, ReduceKind::kSum, sources, kept, kCount, Scale{}};
        if (streamed) {
            reduction.destinations = to;
            reduce_streamed(reduction, kept);
        } else {
            reduce(reduction);
            reduction.destinations = to;
            reduce(reduction);
        }
    }
    EXPECT_EQ(wide[0], wide[1]);
    EXPECT_EQ(narrow[0], narrow[1]);
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
