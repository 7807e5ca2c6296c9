// The reduction kernels for any processor.
#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "device/elements.h"
#include "device/reduce_table.h"
#include "device/taken.h"

namespace xccl {
namespace {
#include "device/lanes.inc"
#include "device/reduce_kernels.inc"
}  // namespace

const ReduceTable kGenericReduceTable = {"generic", XCCL_REDUCE_KERNELS};
}  // namespace xccl
