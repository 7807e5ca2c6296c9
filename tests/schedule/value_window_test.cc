// Goal: windows cover all chunks once, spans are cut at their edges, and each cell of a buffer has
// one place. Method: all small sizes, against the definitions.
#include "schedule/value_window.h"

#include <gtest/gtest.h>

#include <set>

namespace xccl {
namespace {

TEST(ValueWindow, WindowsCoverAllChunksOnceAndAreNoLargerThanAsked) {
    for (std::uint32_t chunks : {1u, 2u, 7u, 64u, 4093u}) {
        for (std::uint64_t each : {1u, 3u, 4093u}) {
            for (std::uint64_t most :
                 {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1} << 20, UINT64_MAX}) {
                std::uint32_t next = 0;
                for (const Window& window : windows_of(chunks, each, most)) {
                    EXPECT_EQ(window.first, next);
                    EXPECT_GE(window.count, 1u);
                    EXPECT_TRUE(window.count == 1 || window.count * each <= most);
                    next += window.count;
                }
                EXPECT_EQ(next, chunks);
            }
        }
    }
}

TEST(ValueWindow, PartsAreTheElementsOfTheWindowInOrder) {
    constexpr std::uint32_t kChunks = 6;
    for (std::uint32_t first = 0; first < kChunks; ++first) {
        for (std::uint32_t count = 1; first + count <= kChunks; ++count) {
            for (std::uint32_t chunk = 0; chunk < kChunks; ++chunk) {
                for (std::uint32_t span = 1; span <= kChunks; ++span) {
                    std::vector<std::uint32_t> expected, found;
                    for (std::uint32_t i = 0; i < span; ++i) {
                        const std::uint32_t work = (chunk + i) % kChunks;
                        if (work >= first && work < first + count) expected.push_back(i);
                    }
                    for (const Part& part : parts_of_span({first, count}, chunk, span, kChunks)) {
                        for (std::uint32_t i = 0; i < part.length; ++i) {
                            found.push_back(part.offset + i);
                        }
                    }
                    EXPECT_EQ(found, expected);
                }
            }
        }
    }
}

// Rank 2 of 4: its only block is work chunk 2, and in place that is where the others' blocks are.
TEST(ValueWindow, CellsAreSharedInPlaceOnly) {
    for (Contract contract : {Contract::kAllReduce, Contract::kAllGather, Contract::kReduceScatter,
                              Contract::kBroadcast}) {
        const Party party{contract, 2, 4, 2, 4};
        for (bool in_place : {false, true}) {
            WindowValues values(party, {1, 2}, in_place);
            std::set<ExpressionId*> cells;
            for (Space space : {Space::kInput, Space::kOutput}) {
                const Window here = chunks_in_window(party, space, {1, 2});
                const bool has_one = (space == Space::kInput ? input_chunk_count(party)
                                                             : output_chunk_count(party)) == 1;
                EXPECT_EQ(here.count, has_one ? 1u : 2u);
                for (std::uint32_t i = 0; i < here.count; ++i) {
                    cells.insert(values.at(space, here.first, i));
                }
            }
            const bool all = contract == Contract::kAllReduce || contract == Contract::kBroadcast;
            EXPECT_EQ(cells.size(), in_place ? 2u : all ? 4u : 3u);
        }
    }
}

TEST(ValueWindow, ChunksOutsideAreNotInTheWindow) {
    const Party party{Contract::kAllGather, 0, 4, 0, 4};
    EXPECT_EQ(chunks_in_window(party, Space::kInput, {1, 2}).count, 0u);
    EXPECT_EQ(chunks_in_window(party, Space::kOutput, {1, 2}).first, 1u);
    EXPECT_EQ(chunks_in_window({Contract::kReduce, 1, 4, 0, 4}, Space::kOutput, {0, 4}).count, 0u);
}

TEST(ValueWindow, ScratchHasARowForEachRoundOfChunksAndIsForgotten) {
    WindowValues scratch = WindowValues::scratch({Contract::kAllReduce, 0, 4, 0, 4}, {2, 2}, 10);
    std::set<ExpressionId*> cells;
    for (std::uint32_t chunk : {2u, 3u, 6u, 7u}) {
        EXPECT_EQ(*scratch.at(Space::kScratch, chunk, 0), kUndefined);
        *scratch.at(Space::kScratch, chunk, 0) = chunk;
        cells.insert(scratch.at(Space::kScratch, chunk, 0));
    }
    EXPECT_EQ(cells.size(), 4u);
    EXPECT_EQ(*scratch.at(Space::kScratch, 5, 2), 7u);
    scratch.forget();
    EXPECT_EQ(*scratch.at(Space::kScratch, 6, 0), kUndefined);
}

}  // namespace
}  // namespace xccl
