#include "plan/tile_shape.h"

#include <algorithm>

namespace xccl {
namespace {

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
    return a / b + (a % b != 0);
}

// Of the last tile: chunks of tiles that are worth it start at multiples of 16 elements.
std::uint64_t last_share(std::uint64_t elements, const TileShape& shape) {
    std::uint64_t share = divide_up(elements, shape.chunk_count);
    if (elements >= 64 * std::uint64_t{shape.chunk_count}) share = divide_up(share, 16) * 16;
    return std::min(share, shape.piece_elements);
}

}  // namespace

std::uint64_t TileShape::tile_count() const {
    return divide_up(count, blocks ? piece_elements : piece_elements * chunk_count);
}

std::uint64_t TileShape::largest_piece() const {
    if (blocks) return std::min(count, piece_elements);
    if (tile_count() > 1) return piece_elements;
    return std::min(last_share(count, *this), count);
}

std::uint64_t TileShape::chunk_elements(std::uint32_t chunk) const {
    if (blocks) return count;
    const std::uint64_t tiles = tile_count();
    if (tiles == 0) return 0;
    const std::uint64_t whole = (tiles - 1) * piece_elements;
    const std::uint64_t rest = count - whole * chunk_count;
    const std::uint64_t share = last_share(rest, *this);
    const std::uint64_t skipped = std::min(chunk % chunk_count * share, rest);
    return whole + std::min(share, rest - skipped);
}

}  // namespace xccl
