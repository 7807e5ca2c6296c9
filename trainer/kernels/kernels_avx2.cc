// The kernels for processors with AVX2 and FMA.
#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/instruction_sets.h"

// What is included above stays free of these instructions: the linker may pick its copy of an
// inline function for all of the program.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace xccl::trainer {
namespace {
#include "kernels/vector_avx2.inc"
//
#include "kernels/kernels.inc"
}  // namespace

const KernelTable kKernelsAvx2 = {"avx2", XCCL_TRAINER_KERNELS};
}  // namespace xccl::trainer

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
