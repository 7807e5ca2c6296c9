// The collectives that can be measured, as one table: what a row is called, how a size becomes a
// count, which bandwidth factor holds, what must come out, and the call itself.
//
// Counts and offsets are elements. A size is that of the "size" column: the larger of what a rank
// sends and receives.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "collectives/traffic.h"
#include "data/check.h"
#include "xccl.h"

namespace xccl::perf {

// One operation, as all ranks see it.
struct Shape {
    int rank_count = 1;
    std::size_t count = 0;  // what the "count" column shows
    int root = 0;
    const Traffic* traffic = nullptr;  // alltoallv only
};

// One rank's part of it.
struct Call {
    const void* send;
    void* receive;
    xcclDataType_t type;
    xcclRedOp_t op;
    int rank;
    xcclComm_t comm;
    xcclStream_t stream;
};

// Where a rank's two buffers lie if they share memory. kNone: the operation has no such form.
enum class InPlace { kSameBuffer, kSendFromOwnBlock, kReceiveToOwnBlock, kNone };

// What a rank's buffer holds: `count`, or one such block for each rank, or what Traffic says.
enum class Extent { kBlock, kBlocks, kTraffic };

struct Collective {
    std::string_view name;
    bool reduces;   // -o matters
    bool shows_op;  // -o is shown, and `all` repeats the row
    bool has_root;  // -r matters
    InPlace in_place;
    Extent sends;
    Extent receives;
    double (*bus_factor)(int rank_count);
    std::vector<Segment> (*expected)(const Shape& shape, int rank);
    xcclResult_t (*launch)(const Shape& shape, const Call& call);

    bool counts_per_rank() const { return sends != Extent::kBlock || receives != Extent::kBlock; }
    std::size_t send_count(const Shape& shape, int rank) const;
    std::size_t receive_count(const Shape& shape, int rank) const;
    // The "size" column, in elements.
    std::size_t size_count(const Shape& shape) const;
};

// The "count" column for a wanted size: floor(bytes / element), or each rank's share of it rounded
// down to 16 bytes.
std::size_t count_for(const Collective& collective, std::size_t bytes, std::size_t type_bytes,
                      int rank_count);

std::span<const Collective> collectives();
// The one of this name; null if there is none.
const Collective* find_collective(std::string_view name);

}  // namespace xccl::perf
