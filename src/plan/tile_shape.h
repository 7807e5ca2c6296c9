// How a buffer falls into tiles, and a tile into chunks: what the executor's piece map says of one
// piece, summed up over a whole operation (a test holds the two together).
//
//     tile      the buffer is cut into tiles of piece * chunk_count elements; the last tile is
//               shared out evenly
//     blocks    every chunk is a block of `count` elements; tile t is piece t of each
#pragma once

#include <cstdint>

namespace xccl {

struct TileShape {
    bool blocks = false;
    std::uint64_t count = 0;  // elements of the buffer, or of one block
    std::uint32_t chunk_count = 1;
    std::uint64_t piece_elements = 1;  // the most that one chunk has in a tile

    std::uint64_t tile_count() const;
    // The largest piece that occurs.
    std::uint64_t largest_piece() const;
    // Elements of chunk `chunk` in all tiles together; `chunk` is taken modulo chunk_count.
    std::uint64_t chunk_elements(std::uint32_t chunk) const;
};

}  // namespace xccl
