// The reduction kernels of one instruction set, and which of them this process uses.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "device/kernels.h"
#include "device/taken.h"

namespace xccl {

constexpr int kReduceKindCount = 4;

// What is combined in registers and stored past the caches from there (streamed.h).
struct RegisterFold {
    std::span<std::byte* const> streamed;     // begin on lines of 64 bytes
    std::span<std::byte* const> kept;         // written through the caches; may be sources
    const std::byte* const* sources;          // as they are stored, and not scaled
    std::span<const std::byte* const> taken;  // those of them that are (taken.h)
    std::size_t bytes;                        // of each; a multiple of kFoldStepBytes
};
constexpr std::size_t kFoldStepBytes = 128;
constexpr std::size_t kMostFoldSources = 4;

// Combines as the canonical tree, element for element. The stores are not ordered before later
// ones.
using StreamKernel = void (*)(const RegisterFold&);

// Takes what follows the step at `begin`.
inline void take_ahead(const RegisterFold& fold, std::size_t begin) {
    if (begin + kTakenAheadBytes >= fold.bytes) return;
    for (const std::byte* source : fold.taken) {
        take_lines(source + begin + kTakenAheadBytes, kFoldStepBytes);
    }
}

struct ReduceTable {
    struct Kernels {
        void (*reduce)(const Reduction&);
        // Of a type that is accumulated in itself.
        PairKernel reduce_two;
        StreamKernel stream[kMostFoldSources + 1];  // by the number of sources; null: none
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

// Of those in use; null: there is none for so many.
StreamKernel stream_kernel(xcclDataType_t type, ReduceKind kind, std::size_t source_count);

// Those that this processor can run, best first.
std::span<const ReduceTable* const> usable_reduce_tables();

// Makes this process use the kernels of that name from now on; false if it cannot. For tests and
// benchmarks, while no reduction runs.
bool use_instruction_set(std::string_view name);

}  // namespace xccl
