#include "schedule/lanes.h"

#include "base/limits.h"

namespace xccl {

Result<Steps> split_into_lanes(Steps steps, int copies) {
    const std::size_t strands = steps.strand_count;
    if (strands == 0 || steps.lanes.size() != strands) {
        return internal_error("lanes: the steps are split already");
    }
    if (copies < 1 || strands * static_cast<std::size_t>(copies) > kMaxLanes) {
        return internal_error("lanes: {} copies of {} strands are not between 1 and {} lanes",
                              copies, strands, kMaxLanes);
    }
    steps.lanes.reserve(strands * copies);
    for (std::size_t lane = strands; lane < strands * copies; ++lane) {
        steps.lanes.push_back(steps.lanes[lane - strands]);
    }
    return steps;
}

}  // namespace xccl
