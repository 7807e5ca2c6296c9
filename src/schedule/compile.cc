#include "schedule/compile.h"

#include "schedule/encode.h"
#include "schedule/fuse.h"
#include "schedule/lanes.h"

namespace xccl {

Result<Steps> compile(const Schedule& schedule, const CompileOptions& options) {
    XCCL_ASSIGN(Steps steps, encode(schedule));
    if (options.fused) steps = fuse(std::move(steps));
    return split_into_lanes(std::move(steps), options.copies);
}

}  // namespace xccl
