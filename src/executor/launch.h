// A launch: encoded steps bound to counts, types and lanes; and the buffers of one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/operation.h"
#include "device/kernels.h"
#include "schedule/steps.h"
#include "xccl.h"

namespace xccl {

// Where the chunks of one space lie in a caller's buffer, in elements.
struct ChunkLayout {
    enum class Kind : std::uint8_t {
        kTile,    // the buffer is cut into tiles, each tile into chunk_count chunks side by side
        kBlocks,  // chunk i is block i of `count` elements; tile t is piece t of every block
        kVector,  // chunk i has counts[i] elements at displacements[i]; tile t is piece t of each
    };
    Kind kind = Kind::kTile;
    std::uint64_t count = 0;                   // kTile: of the buffer; kBlocks: of one block
    std::vector<std::uint64_t> counts;         // kVector: [chunk]
    std::vector<std::uint64_t> displacements;  // kVector: [chunk]
};

struct Piece {
    std::uint64_t offset = 0;  // elements from the buffer's start
    std::uint64_t count = 0;   // elements; 0: nothing to move
};

// Chunk `chunk` of tile `tile`. `piece_elements` is the most that one chunk has in a tile.
//   kTile    tile t is [t * T, ...) with T = piece_elements * chunk_count; a tile of E elements is
//   cut
//            into chunks of ceil(E / chunk_count), rounded up to a multiple of 16 if E >= 64 *
//            chunk_count
//   others   piece t of block or vector entry `chunk`
Piece piece_of(const ChunkLayout& layout, std::uint32_t chunk_count, std::uint64_t piece_elements,
               std::uint32_t chunk, std::uint64_t tile);
std::uint64_t tile_count_of(const ChunkLayout& layout, std::uint32_t chunk_count,
                            std::uint64_t piece_elements);

// Everything about a call but its buffers, so that one launch serves every call of its shape.
struct Launch {
    std::shared_ptr<const Steps> steps;
    int first_lane = 0;  // of the link's lanes: flagged or slotted; Steps::lanes follow from there

    ChunkLayout input_layout;
    ChunkLayout output_layout;
    // Scratch chunk i of a tile is as long as chunk i % chunk_count of `work_layout`, and lies in
    // library memory that the engine owns. It also tells the length of a message that a step
    // passes on without touching a buffer.
    ChunkLayout work_layout;
    std::uint64_t piece_elements = 1;  // piece * max_span elements of the wire type fit a slot

    xcclDataType_t type = xcclUint8;
    // The two ends of a message may disagree on how long its block is (all-to-allv). So the first
    // tile's messages are sent though empty, and each tells whether another tile of its block
    // follows.
    bool tells_lengths = false;
    // Messages and scratch hold accumulate_type(type): rounded once, at kOutput.
    bool wide_wire = false;
    ReduceKind reduce_kind = ReduceKind::kSum;
    // Premultiplied sum and floating average: x becomes round(x * scale) when read from kInput.
    bool scale_input = false;
    // Integer average: what a tile leaves in kOutput is divided by this when the tile is complete,
    // so partial results that travel are not. 0: not.
    std::int64_t divide_output_by = 0;

    // What the last-level cache holds for this rank. A call that touches more writes its output
    // past the caches: nothing of it would be left there.
    std::uint64_t cached_bytes = UINT64_MAX;

    OperationDescriptor descriptor;  // but for `sequence`, which the engine sets
};

// What a call brings along. Both stay the caller's, and valid until the operation is done.
struct Buffers {
    const std::byte* input = nullptr;
    std::byte* output = nullptr;
    Scale scale{};  // where Launch::scale_input is set
    // Is the input read before anything is written over it? Then messages may refer to it.
    bool input_stays = false;
    // Has the output left the caches since it was last used? Then it is written past them, if the
    // call is large (PreparedLaunch::may_stream()).
    bool output_left = false;
    // Where they lie in this process's heap, if peers may read them there (references.h).
    static constexpr std::uint64_t kNotInHeap = UINT64_MAX;
    std::uint64_t input_place = kNotInHeap;
    std::uint64_t output_place = kNotInHeap;
};

}  // namespace xccl
