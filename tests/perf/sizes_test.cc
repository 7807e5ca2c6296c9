// Goal: sizes mean what they mean to nccl-tests, and every sweep ends. Method: by hand, and the
// visited sizes counted against count().
#include "options/sizes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace xccl::perf {
namespace {

std::vector<std::size_t> visited(const SizeRange& range) {
    std::vector<std::size_t> sizes{range.first_bytes};
    while (const auto next = range.after(sizes.back())) {
        sizes.push_back(*next);
        if (sizes.size() > 1000) break;
    }
    return sizes;
}

TEST(Sizes, NumbersAndUnits) {
    EXPECT_EQ(parse_size("8"), 8u);
    EXPECT_EQ(parse_size("0"), 0u);
    EXPECT_EQ(parse_size("1k"), 1024u);
    EXPECT_EQ(parse_size("1.5K"), 1536u);
    EXPECT_EQ(parse_size(".5M"), 524288u);
    EXPECT_EQ(parse_size("2g"), std::size_t{2} << 30);
    EXPECT_EQ(parse_size("16G"), std::size_t{16} << 30);
}

TEST(Sizes, AnythingElseIsNone) {
    for (const char* text : {"", "K", "8KB", "8 K", "-8", "+8", "inf", "nan", "0x8", "1T", "1e30",
                             "9999999999G", "8.8.8"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Sizes, SweepsVisitWhatTheyShould) {
    using Sizes = std::vector<std::size_t>;
    EXPECT_EQ(visited({8, 64, 1, 2}), (Sizes{8, 16, 32, 64}));
    EXPECT_EQ(visited({8, 100, 1, 3}), (Sizes{8, 24, 72}));
    EXPECT_EQ(visited({10, 40, 15, 1}), (Sizes{10, 25, 40}));
    EXPECT_EQ(visited({10, 39, 15, 1}), (Sizes{10, 25}));
    EXPECT_EQ(visited({64, 64, 0, 1}), (Sizes{64}));
    EXPECT_EQ(visited({0, 0, 1, 2}), (Sizes{0}));
    EXPECT_EQ(visited({0, 40, 1, 2}), (Sizes{0, 8, 16, 32}));
    EXPECT_EQ(visited({0, 20, 10, 1}), (Sizes{0, 10, 20}));
    const std::size_t huge = SIZE_MAX / 4;
    EXPECT_EQ(visited({huge / 2, huge, 1, 3}), (Sizes{huge / 2}));
    EXPECT_EQ(visited({huge - 1, huge, SIZE_MAX, 1}), (Sizes{huge - 1}));
}

TEST(Sizes, CountIsTheNumberOfVisitedSizes) {
    for (const SizeRange& range :
         {SizeRange{8, 64, 1, 2}, SizeRange{0, 1000, 1, 2}, SizeRange{10, 39, 15, 1},
          SizeRange{0, 20, 10, 1}, SizeRange{7, 7, 0, 1}}) {
        EXPECT_EQ(range.count(), visited(range).size());
    }
}

}  // namespace
}  // namespace xccl::perf
