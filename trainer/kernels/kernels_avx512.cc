// The kernels for processors with AVX-512 (F).
#if defined(__x86_64__)

#if !defined(__clang__)  // takes the intrinsics' own undefined operands for mistakes
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
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
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma")
#endif

namespace xccl::trainer {
namespace {
#include "kernels/vector_avx512.inc"
//
#include "kernels/kernels.inc"
}  // namespace

const KernelTable kKernelsAvx512 = {"avx512", XCCL_TRAINER_KERNELS};
}  // namespace xccl::trainer

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
