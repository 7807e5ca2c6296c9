// The tables of kernels, one per instruction set that this binary has code for.
#pragma once

#include "kernels/kernel_table.h"

namespace xccl::trainer {

#if defined(__x86_64__)
extern const KernelTable kKernelsAvx512;
extern const KernelTable kKernelsAvx2;
#endif
extern const KernelTable kKernelsGeneric;

}  // namespace xccl::trainer
