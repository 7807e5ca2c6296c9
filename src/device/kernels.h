// The host as a device: it copies bytes, and combines elements of every datatype with every
// operator.
//
// A reduction is n-ary and goes through memory once: all sources are read, all destinations
// written, however many there are. What is computed does not depend on the instruction set, on the
// alignment of the buffers, or on how a caller cuts a long reduction into shorter ones.
//
// Numbers. 16- and 8-bit floats are widened to float32 at the load, combined in float32, and
// rounded once, to nearest even, at the store. Integers wrap. min and max order -0 below +0. A
// floating result that is not a number is the one canonical NaN of its type (0x7fc00000 in
// float32), so that results are equal bit for bit on all ranks, whichever operand brought it. What
// is only copied keeps its bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "xccl.h"

namespace xccl {

// Average and pre-multiplied sum are prepared by the caller: a scale at the load, or a division at
// the end.
enum class ReduceKind : std::uint8_t { kSum, kProd, kMax, kMin };

// `wide`: the elements are of accumulate_type(type) instead of `type`.
// `scaled`: each element x is replaced by Reduction::scale times x before it is combined.
// `taken`: it lies in memory that this thread writes next (taken.h).
struct ReduceSource {
    const std::byte* data;
    bool wide;
    bool scaled;
    bool taken = false;
};

struct ReduceDestination {
    std::byte* data;
    bool wide;
};

// x becomes x * floating, computed in float32 (float64 for float64) and rounded to the datatype;
// an integer x becomes x * integer, wrapping in the datatype.
struct Scale {
    double floating;
    std::uint64_t integer;
};

// destination[i] = combine over s of source_s[i], for each destination and i in [0, count).
//
// The sources are combined as one canonical balanced binary tree over their order, split at the
// largest power of two below their number: five of them as ((0 1) (2 3)) 4. Operands of one
// combination may be swapped; the tree is never another one.
struct Reduction {
    xcclDataType_t type;
    ReduceKind kind;
    std::span<const ReduceSource> sources;            // at least one
    std::span<const ReduceDestination> destinations;  // at least one
    std::size_t count;
    Scale scale;
};

// Buffers may lie at any byte address, and may be null if `count` is 0. A destination may equal a
// source of the same width, element for element; it must not overlap one otherwise, nor another
// destination. One source is copied, converted and scaled as it and the destination ask for.
void reduce(const Reduction& reduction);

// The same of two sources and one destination, all of a type that is accumulated in itself: what
// most steps of a schedule are. To be looked up once and called often.
using PairKernel = void (*)(std::byte* destination, const std::byte* a, const std::byte* b,
                            std::size_t count);
PairKernel pair_kernel(xcclDataType_t type, ReduceKind kind);

// For the average of integers: divides in place, truncating towards zero. `divisor` is positive.
// Does nothing to floating datatypes.
void divide_integers(xcclDataType_t type, std::byte* data, std::size_t count, std::int64_t divisor);

// Copies `bytes`; the two ranges are equal or disjoint, and may be null if `bytes` is 0.
inline void copy_bytes(std::byte* destination, const std::byte* source, std::size_t bytes) {
    if (bytes == sizeof(std::uint64_t)) {  // of small operations a call would be the dearest part
        std::memcpy(destination, source, sizeof(std::uint64_t));
    } else if (bytes != 0 && destination != source) {
        std::memcpy(destination, source, bytes);
    }
}

// The form of the kernels that this process uses: "avx512_fp16", "avx512", "avx2" or
// "generic".
const char* instruction_set();

}  // namespace xccl
