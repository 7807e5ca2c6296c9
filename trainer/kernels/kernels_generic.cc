// The kernels for any processor.
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/instruction_sets.h"

namespace xccl::trainer {
namespace {
#include "kernels/vector_generic.inc"
//
#include "kernels/kernels.inc"
}  // namespace

const KernelTable kKernelsGeneric = {"generic", XCCL_TRAINER_KERNELS};
}  // namespace xccl::trainer
