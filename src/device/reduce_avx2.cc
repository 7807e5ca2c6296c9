// The reduction kernels for processors with AVX2.
#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "device/elements.h"
#include "device/reduce_table.h"
#include "device/taken.h"

// What is included above stays free of these instructions: the linker may pick its copy of an
// inline function for all of the program.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,f16c")
#endif

namespace xccl {
namespace {
#include "device/lanes_avx2.inc"
#include "device/reduce_kernels.inc"
}  // namespace

const ReduceTable kAvx2ReduceTable = {"avx2", XCCL_REDUCE_KERNELS};
}  // namespace xccl

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
