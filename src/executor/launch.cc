#include "executor/launch.h"

#include "executor/piece_map.h"

namespace xccl {

Piece piece_of(const ChunkLayout& layout, std::uint32_t chunk_count, std::uint64_t piece_elements,
               std::uint32_t chunk, std::uint64_t tile) {
    return PieceMap(layout, chunk_count, piece_elements).piece(chunk, tile);
}

std::uint64_t tile_count_of(const ChunkLayout& layout, std::uint32_t chunk_count,
                            std::uint64_t piece_elements) {
    return PieceMap(layout, chunk_count, piece_elements).tile_count();
}

}  // namespace xccl
