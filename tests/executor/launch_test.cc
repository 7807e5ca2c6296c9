// Goal: every element of a buffer lies in exactly one piece, and no piece is longer than a slot.
// Method: walk all tiles and chunks of each kind of layout, and mark what they cover.
#include "executor/launch.h"

#include <gtest/gtest.h>

#include "executor/piece_map.h"

namespace xccl {
namespace {

ChunkLayout layout_of(ChunkLayout::Kind kind, std::uint64_t count) {
    ChunkLayout layout;
    layout.kind = kind;
    layout.count = count;
    return layout;
}
ChunkLayout tiles(std::uint64_t count) {
    return layout_of(ChunkLayout::Kind::kTile, count);
}

// How often the pieces of all tiles and chunks cover each of `size` elements.
std::vector<int> coverage(const ChunkLayout& layout, std::uint32_t chunk_count, std::uint64_t piece,
                          std::uint32_t chunks_in_use, std::size_t size) {
    std::vector<int> covered(size);
    for (std::uint64_t tile = 0; tile < tile_count_of(layout, chunk_count, piece); ++tile) {
        for (std::uint32_t chunk = 0; chunk < chunks_in_use; ++chunk) {
            const Piece p = piece_of(layout, chunk_count, piece, chunk, tile);
            EXPECT_LE(p.count, piece);
            for (std::uint64_t i = 0; i < p.count; ++i) ++covered.at(p.offset + i);
        }
    }
    return covered;
}

TEST(Pieces, TilesCoverABufferOnce) {
    for (const std::uint32_t chunks : {1u, 2u, 3u, 7u, 16u}) {
        for (const std::uint64_t piece : {1u, 5u, 16u, 100u}) {
            for (const std::uint64_t count : {0u, 1u, 2u, 97u, 1024u, 1601u, 5000u}) {
                const ChunkLayout layout = tiles(count);
                EXPECT_EQ(coverage(layout, chunks, piece, chunks, count),
                          std::vector<int>(count, 1))
                    << chunks << " chunks, piece " << piece << ", count " << count;
            }
        }
    }
}

TEST(Pieces, OfATileLieSideBySide) {
    const ChunkLayout layout = tiles(1000);
    const PieceMap map(layout, 7, 30);
    EXPECT_TRUE(map.contiguous());
    for (std::uint64_t tile = 0; tile < map.tile_count(); ++tile) {
        for (std::uint32_t chunk = 1; chunk < 7; ++chunk) {
            const Piece before = map.piece(chunk - 1, tile);
            EXPECT_EQ(map.piece(chunk, tile).offset, before.offset + before.count);
        }
    }
}

TEST(Pieces, OfLargeTilesStartAtMultiplesOf16) {
    const ChunkLayout layout = tiles(4 * 65);
    EXPECT_EQ(piece_of(layout, 4, 1000, 0, 0).count, 80u);
    EXPECT_EQ(piece_of(layout, 4, 1000, 3, 0).count, 20u);
    const ChunkLayout small = tiles(4 * 63);
    EXPECT_EQ(piece_of(small, 4, 1000, 0, 0).count, 63u);
}

TEST(Pieces, BlocksAreCutEach) {
    for (const std::uint64_t count : {0u, 1u, 29u, 30u, 31u, 100u}) {
        const ChunkLayout layout = layout_of(ChunkLayout::Kind::kBlocks, count);
        EXPECT_EQ(tile_count_of(layout, 5, 30), (count + 29) / 30);
        EXPECT_EQ(coverage(layout, 5, 30, 5, 5 * count), std::vector<int>(5 * count, 1));
        EXPECT_EQ(PieceMap(layout, 5, 30).contiguous(), count <= 30);
    }
}

TEST(Pieces, VectorsLieAtTheirDisplacements) {
    const ChunkLayout layout{.kind = ChunkLayout::Kind::kVector,
                             .count = 0,
                             .counts = {3, 0, 50, 1},
                             .displacements = {100, 0, 10, 99}};
    EXPECT_EQ(tile_count_of(layout, 4, 20), 3u);
    std::vector<int> expected(103);
    for (std::size_t i = 10; i < 60; ++i) expected[i] = 1;
    for (std::size_t i = 99; i < 103; ++i) expected[i] = 1;
    EXPECT_EQ(coverage(layout, 4, 20, 4, 103), expected);
    EXPECT_EQ(piece_of(layout, 4, 20, 9, 0).count, 0u);
}

TEST(Pieces, CountsBeyond32Bits) {
    const std::uint64_t count = (std::uint64_t{1} << 33) + 5;
    const ChunkLayout layout = tiles(count);
    const std::uint64_t tiles = tile_count_of(layout, 2, 1 << 20);
    EXPECT_EQ(tiles, 4097u);
    const Piece last = piece_of(layout, 2, 1 << 20, 1, tiles - 1);
    EXPECT_EQ(last.offset + last.count, count);
}

}  // namespace
}  // namespace xccl
