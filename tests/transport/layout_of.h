// The layout of the segment of ranks on one host.
#pragma once

#include "transport/geometry.h"
#include "transport/segment_layout.h"

namespace xccl {

inline SegmentLayout layout_of(int ranks) {
    return *SegmentLayout::make(ranks, *choose_geometry(ranks));
}

}  // namespace xccl
