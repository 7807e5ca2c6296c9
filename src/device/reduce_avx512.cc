// The reduction kernels for processors with AVX-512 (F, BW, DQ, VL).
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
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c"))), apply_to = function)
#else
// Of values that GCC 12's own header leaves undefined on purpose.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")
#endif

namespace xccl {
namespace {
#include "device/lanes_avx512.inc"
#include "device/reduce_kernels.inc"
}  // namespace

const ReduceTable kAvx512ReduceTable = {"avx512", XCCL_REDUCE_KERNELS};
}  // namespace xccl

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
