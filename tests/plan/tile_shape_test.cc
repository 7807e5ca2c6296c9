// Goal: the planner's sums over tiles are the executor's pieces added up. Method: both, over many
// counts around every edge.
#include "plan/tile_shape.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "executor/launch.h"

namespace xccl {
namespace {

ChunkLayout layout_of(const TileShape& shape) {
    ChunkLayout layout;
    layout.kind = shape.blocks ? ChunkLayout::Kind::kBlocks : ChunkLayout::Kind::kTile;
    layout.count = shape.count;
    return layout;
}

void expect_agreement(const TileShape& shape) {
    SCOPED_TRACE(::testing::Message()
                 << "count " << shape.count << ", chunks " << shape.chunk_count << ", piece "
                 << shape.piece_elements << ", blocks " << shape.blocks);
    const ChunkLayout layout = layout_of(shape);
    const std::uint64_t tiles = tile_count_of(layout, shape.chunk_count, shape.piece_elements);
    ASSERT_EQ(shape.tile_count(), tiles);
    std::uint64_t largest = 0;
    for (std::uint32_t chunk = 0; chunk < shape.chunk_count; ++chunk) {
        std::uint64_t sum = 0;
        for (std::uint64_t tile = 0; tile < tiles; ++tile) {
            const Piece piece =
                piece_of(layout, shape.chunk_count, shape.piece_elements, chunk, tile);
            sum += piece.count;
            largest = std::max(largest, piece.count);
        }
        ASSERT_EQ(shape.chunk_elements(chunk), sum) << "chunk " << chunk;
    }
    ASSERT_EQ(shape.largest_piece(), largest);
}

TEST(TileShape, AgreesWithTheExecutor) {
    for (bool blocks : {false, true}) {
        for (std::uint32_t chunks : {1u, 2u, 3u, 7u, 8u, 16u}) {
            for (std::uint64_t piece : {1u, 15u, 16u, 60u, 64u, 1000u}) {
                const std::uint64_t tile = piece * (blocks ? 1 : chunks);
                for (std::uint64_t count :
                     {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{chunks}, 64ul * chunks - 1,
                      64ul * chunks, tile - 1, tile, tile + 1, 3 * tile + 7, 5 * tile + 63}) {
                    expect_agreement({blocks, count, chunks, piece});
                }
            }
        }
    }
}

TEST(TileShape, ChunksMakeUpTheBufferBeyond32Bits) {
    const TileShape shape{false, (1ull << 40) + 12345, 7, 16384};
    std::uint64_t sum = 0;
    for (std::uint32_t chunk = 0; chunk < 7; ++chunk) sum += shape.chunk_elements(chunk);
    EXPECT_EQ(sum, shape.count);
}

}  // namespace
}  // namespace xccl
