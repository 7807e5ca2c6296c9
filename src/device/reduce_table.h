// The reduction kernels of one instruction set, and which of them this process uses.
#pragma once

#include <span>
#include <string_view>

#include "device/kernels.h"

namespace xccl {

constexpr int kReduceKindCount = 4;

struct ReduceTable {
    struct Kernels {
        void (*reduce)(const Reduction&);
        // Of a type that is accumulated in itself.
        PairKernel reduce_two;
    };
    const char* name;
    Kernels kernels[xcclNumTypes][kReduceKindCount];
};

// One source, compiled for each (reduce_kernels.inc).
extern const ReduceTable kGenericReduceTable;
#if defined(__x86_64__)
extern const ReduceTable kAvx2ReduceTable;
extern const ReduceTable kAvx512ReduceTable;
#endif

// GCC 11 does not know these instructions, and clang 14 not how to ask for them.
#if defined(__x86_64__) && !defined(__clang__) && __GNUC__ >= 12
#define XCCL_HAS_FP16_KERNELS 1
// The table with those kernels that AVX512-FP16 makes faster.
ReduceTable with_fp16_kernels(const ReduceTable& table);
#endif

// Those that this processor can run, best first.
std::span<const ReduceTable* const> usable_reduce_tables();

// Makes this process use the kernels of that name from now on; false if it cannot. For tests and
// benchmarks, while no reduction runs.
bool use_instruction_set(std::string_view name);

}  // namespace xccl
