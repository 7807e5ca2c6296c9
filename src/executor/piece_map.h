// Where the pieces of a tile lie: piece_of() with its divisions done once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "executor/launch.h"

namespace xccl {

class PieceMap {
  public:
    PieceMap() = default;
    // Keeps a pointer to `layout`, which must stay where it is.
    PieceMap(const ChunkLayout& layout, std::uint32_t chunk_count, std::uint64_t piece_elements);

    Piece piece(std::uint32_t chunk, std::uint64_t tile) const {
        if (layout_->kind == ChunkLayout::Kind::kTile) return tile_piece(chunk, tile);
        const bool vector = layout_->kind == ChunkLayout::Kind::kVector;
        if (vector && chunk >= layout_->counts.size()) return {};
        const std::uint64_t length = vector ? layout_->counts[chunk] : layout_->count;
        const std::uint64_t start = vector ? layout_->displacements[chunk] : chunk * length;
        const std::uint64_t skipped = std::min(tile * piece_elements_, length);
        return {start + skipped, std::min(piece_elements_, length - skipped)};
    }

    std::uint64_t tile_count() const { return tile_count_; }

    // Do consecutive chunks lie side by side in every tile?
    bool contiguous() const { return contiguous_; }

  private:
    Piece tile_piece(std::uint32_t chunk, std::uint64_t tile) const {
        if (tile >= tile_count_) return {};
        const bool last = tile + 1 == tile_count_;
        const std::uint64_t elements = last ? last_tile_elements_ : tile_elements_;
        const std::uint64_t share = last ? last_share_ : piece_elements_;
        const std::uint64_t skipped = std::min(chunk * share, elements);
        return {tile * tile_elements_ + skipped, std::min(share, elements - skipped)};
    }

    const ChunkLayout* layout_ = nullptr;
    std::uint64_t piece_elements_ = 1;
    std::uint64_t tile_count_ = 0;
    bool contiguous_ = false;
    // kTile
    std::uint64_t tile_elements_ = 0;
    std::uint64_t last_tile_elements_ = 0;
    std::uint64_t last_share_ = 0;
};

}  // namespace xccl
