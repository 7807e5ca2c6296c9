#include "executor/piece_map.h"

#include "base/assert.h"

namespace xccl {
namespace {

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
    return a / b + (a % b != 0);
}

// The longest chunk of a tile of `elements`. Chunks of tiles that are worth it start at multiples
// of 16 elements, so that vector instructions meet few ragged ends.
std::uint64_t share_of(std::uint64_t elements, std::uint64_t chunk_count, std::uint64_t piece) {
    std::uint64_t share = divide_up(elements, chunk_count);
    if (elements >= 64 * chunk_count) share = divide_up(share, 16) * 16;
    return std::min(share, piece);
}

}  // namespace

PieceMap::PieceMap(const ChunkLayout& layout, std::uint32_t chunk_count,
                   std::uint64_t piece_elements)
    : layout_(&layout), piece_elements_(piece_elements) {
    XCCL_ASSERT(piece_elements > 0 && chunk_count > 0);
    switch (layout.kind) {
        case ChunkLayout::Kind::kTile:
            tile_elements_ = piece_elements * chunk_count;
            tile_count_ = divide_up(layout.count, tile_elements_);
            contiguous_ = true;
            if (tile_count_ == 0) return;
            last_tile_elements_ = layout.count - (tile_count_ - 1) * tile_elements_;
            last_share_ = share_of(last_tile_elements_, chunk_count, piece_elements);
            return;
        case ChunkLayout::Kind::kBlocks:
            tile_count_ = divide_up(layout.count, piece_elements);
            contiguous_ = layout.count <= piece_elements;
            return;
        case ChunkLayout::Kind::kVector:
            for (std::uint64_t count : layout.counts) {
                tile_count_ = std::max(tile_count_, divide_up(count, piece_elements));
            }
            return;
    }
}

}  // namespace xccl
