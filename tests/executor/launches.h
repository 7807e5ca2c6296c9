// Launches for tests, with the piece size that the lanes allow.
#pragma once

#include <utility>

#include "base/datatypes.h"
#include "executor/launch.h"
#include "transport/geometry.h"

namespace xccl::testing {

inline std::uint64_t largest_piece(const LaneGeometry& geometry, bool flagged,
                                   std::uint32_t max_span, std::size_t element_bytes) {
    const int lane = flagged ? 0 : geometry.flagged_lanes;
    return payload_bytes(geometry, lane) / (max_span * element_bytes);
}

struct LaunchShape {
    xcclColl_t coll = xcclCollAllReduce;
    std::uint64_t count = 0;
    xcclDataType_t type = xcclInt32;
    xcclRedOp_t op = xcclSum;
    int root = -1;
    bool flagged = false;
    bool wide_wire = false;
};

// All three layouts are tiles of `count`.
inline Launch make_launch(std::shared_ptr<const Steps> steps, const LaneGeometry& geometry,
                          const LaunchShape& shape) {
    Launch launch;
    const xcclDataType_t wire = shape.wide_wire ? accumulate_type(shape.type) : shape.type;
    launch.piece_elements =
        largest_piece(geometry, shape.flagged, steps->max_span, element_bytes(wire));
    launch.steps = std::move(steps);
    launch.first_lane = shape.flagged ? 0 : geometry.flagged_lanes;
    for (ChunkLayout* layout : {&launch.input_layout, &launch.output_layout, &launch.work_layout}) {
        layout->count = shape.count;
    }
    launch.type = shape.type;
    launch.wide_wire = shape.wide_wire;
    launch.reduce_kind = static_cast<ReduceKind>(shape.op == xcclAvg ? xcclSum : shape.op);
    launch.descriptor.count = shape.count;
    launch.descriptor.root = shape.root;
    launch.descriptor.coll = static_cast<std::uint8_t>(shape.coll);
    launch.descriptor.datatype = static_cast<std::uint8_t>(shape.type);
    launch.descriptor.op = static_cast<std::uint8_t>(shape.op);
    return launch;
}

template <typename T>
const std::byte* in(const std::vector<T>& values) {
    return reinterpret_cast<const std::byte*>(values.data());
}
template <typename T>
std::byte* out(std::vector<T>& values) {
    return reinterpret_cast<std::byte*>(values.data());
}

}  // namespace xccl::testing
