// Sums of two small floats on processors that add float16 (AVX512-FP16). 64 bytes of float16 and
// float8 take a third or half of the instructions of the way through float32 (lanes_avx512.inc);
// bfloat16 goes that way here, too, with an instruction less, since these processors shift across
// two registers.
//
// Why the bits are the same. The reference adds in float32 and rounds once more. For float16 that
// is known to be as rounding once, since 24 bits are at least 2 * 11 + 2. Of two float8 the float32
// is exact; here their sum is rounded to the 11 bits of a float16 first, and then to p = 4 (e4m3)
// or 3 (e5m2). Let the larger term begin at bit 0. If the smaller one begins at bit -(11 - p) or
// above, it ends at bit -10 or above, so that the float16 is exact. If it begins below that, it is
// less than an eighth of the larger one's last place, or a quarter where that halves below a power
// of two: both ways round to the larger term. Subnormals are multiples of the smallest one, and
// exact. A float16 overflows from 65520 on, where e5m2 does, too. All pairs of float8 are compared
// in reduce_table_test.cc.
//
// Cost: two ports execute vectors of 64 bytes, so a loop takes half as many cycles as it has
// instructions that are no loads, stores or jumps. perf/micro/device/bound.py counts them.
#include "device/reduce_table.h"

#if defined(XCCL_HAS_FP16_KERNELS)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "device/elements.h"
#include "device/taken.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12's own header, on purpose
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,avx512fp16,gfni")

namespace xccl {
namespace {

constexpr std::size_t kStepBytes = sizeof(__m512i);

// To nearest, and without exceptions, whatever the caller has set.
[[gnu::always_inline]] inline __m512h sum_of_halves(__m512h a, __m512h b) {
    return _mm512_add_round_ph(a, b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

[[gnu::always_inline]] inline __m512i sum_of_halves(__m512i a, __m512i b) {
    return _mm512_castph_si512(sum_of_halves(_mm512_castsi512_ph(a), _mm512_castsi512_ph(b)));
}

[[gnu::always_inline]] inline __m512h without_odd_nans(__m512h halves) {
    const __mmask32 is_nan = _mm512_cmp_ph_mask(halves, halves, _CMP_UNORD_Q);
    return _mm512_castsi512_ph(
        _mm512_mask_mov_epi16(_mm512_castph_si512(halves), is_nan, _mm512_set1_epi16(0x7e00)));
}

// 0x80...0 | (~kept & 1): what is cut off rounds up from one half on if what is kept is odd, from
// just above it on otherwise.
[[gnu::always_inline]] inline __m512i threshold(__m512i kept, __m512i one, __m512i half) {
    return _mm512_ternarylogic_epi32(kept, one, half, 0xae);
}

// An e4m3 is a float16 of 1/256 of its value, its bits moved by one. NaN becomes a number there,
// and is put back in the end.
struct E4m3Sum {
    [[gnu::always_inline]] static __m512i of(__m512i a, __m512i b) {
        const Halves x(a);
        const Halves y(b);
        const __m512i rounded =
            rounded_bytes(sum_of_halves(x.lower, y.lower), sum_of_halves(x.upper, y.upper));
        const __m512i sign = _mm512_set1_epi8(-0x80);
        const __m512i all = _mm512_set1_epi8(-1);
        __mmask64 is_number = _mm512_cmpneq_epi8_mask(_mm512_or_si512(a, sign), all);
        is_number = _mm512_mask_cmpneq_epi8_mask(is_number, _mm512_or_si512(b, sign), all);
        return _mm512_mask_mov_epi8(_mm512_set1_epi8(0x7f), is_number, rounded);
    }

  private:
    // The lower and the upper eight of each 16 elements. Their bytes are made by products of bits
    // with matrices, whose first row, in the lowest byte, makes the highest bit.
    struct Halves {
        __m512i lower;
        __m512i upper;
        [[gnu::always_inline]] explicit Halves(__m512i bytes) {
            // s0eeeemm and m0000000 of seeeemmm.
            const __m512i high =
                _mm512_gf2p8affine_epi64_epi8(bytes, _mm512_set1_epi64(0x0204'0810'2040'0080), 0);
            const __m512i low = _mm512_gf2p8affine_epi64_epi8(bytes, _mm512_set1_epi64(1), 0);
            lower = _mm512_unpacklo_epi8(low, high);
            upper = _mm512_unpackhi_epi8(low, high);
        }
    };
    // To nearest, ties to even; what overflows saturates. The highest seven bits of a sum's
    // magnitude, doubled, and what is cut off, which begins with the last bit that is kept.
    [[gnu::always_inline]] static __m512i rounded_bytes(__m512i lower, __m512i upper) {
        const __m512i parted = _mm512_broadcast_i32x4(
            _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
        lower = _mm512_shuffle_epi8(lower, parted);
        upper = _mm512_shuffle_epi8(upper, parted);
        const __m512i low = _mm512_unpacklo_epi64(lower, upper);
        const __m512i high = _mm512_unpackhi_epi64(lower, upper);
        // It counts as the bit that it begins with, and one more from one half on if that is set,
        // from just above it on otherwise: none up to 0x40, one up to 0xbf, two beyond.
        const __m512i minus_one = _mm512_set1_epi8(-1);
        __m512i magnitude = _mm512_add_epi8(high, high);
        magnitude = _mm512_mask_sub_epi8(
            magnitude, _mm512_cmpgt_epu8_mask(low, _mm512_set1_epi8(0x40)), magnitude, minus_one);
        magnitude = _mm512_mask_sub_epi8(
            magnitude, _mm512_cmpgt_epu8_mask(low, _mm512_set1_epi8(-0x41)), magnitude, minus_one);
        const __m512i limited = _mm512_min_epu8(magnitude, _mm512_set1_epi8(0x7e));
        // limited | (high & 0x80)
        return _mm512_ternarylogic_epi32(limited, high, _mm512_set1_epi8(-0x80), 0xf8);
    }
};

// Elements at even places and those at odd ones, added apart: of e5m2, the upper byte of a float16,
// and of bfloat16, the upper half of a float32 (as Lanes<Bfloat16> of lanes_avx512.inc). There are
// hardly ever NaNs, so one comparison looks for them in two vectors.
struct E5m2Parts {
    __m512h even;
    __m512h odd;
    [[gnu::always_inline]] E5m2Parts(__m512i a, __m512i b) {
        const __m512i upper = _mm512_set1_epi16(-0x100);
        even = sum_of_halves(_mm512_castsi512_ph(_mm512_slli_epi16(a, 8)),
                             _mm512_castsi512_ph(_mm512_slli_epi16(b, 8)));
        odd = sum_of_halves(_mm512_castsi512_ph(_mm512_and_si512(a, upper)),
                            _mm512_castsi512_ph(_mm512_and_si512(b, upper)));
    }
    [[gnu::always_inline]] __mmask32 nans() const {
        return _mm512_cmp_ph_mask(even, odd, _CMP_UNORD_Q);
    }
    [[gnu::always_inline]] void make_nans_canonical() {
        even = without_odd_nans(even);
        odd = without_odd_nans(odd);
    }
    [[gnu::always_inline]] __m512i rounded() const {
        constexpr __mmask64 kUpperBytes = 0xaaaaaaaaaaaaaaaa;
        const __m512i even_bits = _mm512_castph_si512(even);
        const __m512i odd_bits = _mm512_castph_si512(odd);
        // The lower half of the odd element beside the upper half of the even one.
        const __m512i middle = _mm512_shrdi_epi16(even_bits, odd_bits, 8);
        const __m512i kept = _mm512_mask_mov_epi8(middle, kUpperBytes, odd_bits);
        const __m512i cut = _mm512_mask_mov_epi8(even_bits, kUpperBytes, middle);
        const __mmask64 up = _mm512_cmpge_epu8_mask(
            cut, threshold(kept, _mm512_set1_epi8(1), _mm512_set1_epi8(-0x80)));
        return _mm512_mask_sub_epi8(kept, up, kept, _mm512_set1_epi8(-1));
    }
};

struct Bfloat16Parts {
    __m512 even;
    __m512 odd;
    [[gnu::always_inline]] Bfloat16Parts(__m512i a, __m512i b) {
        const __m512i upper = _mm512_set1_epi32(-0x10000);
        even = _mm512_add_ps(_mm512_castsi512_ps(_mm512_slli_epi32(a, 16)),
                             _mm512_castsi512_ps(_mm512_slli_epi32(b, 16)));
        odd = _mm512_add_ps(_mm512_castsi512_ps(_mm512_and_si512(a, upper)),
                            _mm512_castsi512_ps(_mm512_and_si512(b, upper)));
    }
    [[gnu::always_inline]] __mmask32 nans() const {
        return _mm512_cmp_ps_mask(even, odd, _CMP_UNORD_Q);
    }
    [[gnu::always_inline]] void make_nans_canonical() {
        const __m512 nan = _mm512_set1_ps(kCanonicalNan<float>);
        even = _mm512_mask_mov_ps(even, _mm512_cmp_ps_mask(even, even, _CMP_UNORD_Q), nan);
        odd = _mm512_mask_mov_ps(odd, _mm512_cmp_ps_mask(odd, odd, _CMP_UNORD_Q), nan);
    }
    [[gnu::always_inline]] __m512i rounded() const {
        constexpr __mmask32 kUpperWords = 0xaaaaaaaa;
        const __m512i even_bits = _mm512_castps_si512(even);
        const __m512i odd_bits = _mm512_castps_si512(odd);
        const __m512i middle = _mm512_shrdi_epi32(even_bits, odd_bits, 16);
        const __m512i kept = _mm512_mask_mov_epi16(middle, kUpperWords, odd_bits);
        const __m512i cut = _mm512_mask_mov_epi16(even_bits, kUpperWords, middle);
        const __mmask32 up = _mm512_cmpge_epu16_mask(
            cut, threshold(kept, _mm512_set1_epi16(1), _mm512_set1_epi16(-0x8000)));
        return _mm512_mask_sub_epi16(kept, up, kept, _mm512_set1_epi16(-1));
    }
};

template <class Parts>
struct PartedSum {
    [[gnu::always_inline]] static __m512i of(__m512i a, __m512i b) {
        Parts parts(a, b);
        if (parts.nans() != 0) [[unlikely]]
            parts.make_nans_canonical();
        return parts.rounded();
    }
    // Two vectors at a time are one branch.
    [[gnu::always_inline]] static void of_two(std::byte* to, const std::byte* a,
                                              const std::byte* b) {
        Parts first(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
        Parts second(_mm512_loadu_si512(a + kStepBytes), _mm512_loadu_si512(b + kStepBytes));
        if (_kortestz_mask32_u8(first.nans(), second.nans()) == 0) [[unlikely]] {
            first.make_nans_canonical();
            second.make_nans_canonical();
        }
        _mm512_storeu_si512(to, first.rounded());
        _mm512_storeu_si512(to + kStepBytes, second.rounded());
    }
};

struct Float16Sum {
    [[gnu::always_inline]] static __m512i of(__m512i a, __m512i b) {
        return _mm512_castph_si512(
            without_odd_nans(sum_of_halves(_mm512_castsi512_ph(a), _mm512_castsi512_ph(b))));
    }
};

template <class Sum>
[[gnu::noinline]] void sum_two(std::byte* to, const std::byte* a, const std::byte* b,
                               std::size_t bytes) {
    std::size_t i = 0;
    if constexpr (requires { Sum::of_two(to, a, b); }) {
        for (; i + 2 * kStepBytes <= bytes; i += 2 * kStepBytes) Sum::of_two(to + i, a + i, b + i);
    }
    for (; i + kStepBytes <= bytes; i += kStepBytes) {
        _mm512_storeu_si512(to + i, Sum::of(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i)));
    }
    if (i == bytes) return;
    const __mmask64 rest = (std::uint64_t{1} << (bytes - i)) - 1;  // fewer than 64
    _mm512_mask_storeu_epi8(
        to + i, rest,
        Sum::of(_mm512_maskz_loadu_epi8(rest, a + i), _mm512_maskz_loadu_epi8(rest, b + i)));
}

// A StreamKernel (reduce_table.h).
template <class Sum>
void stream_sums(const RegisterFold& fold) {
    const std::byte* const a = fold.sources[0];
    const std::byte* const b = fold.sources[1];
    static_assert(kFoldStepBytes % kStepBytes == 0);
    for (std::size_t i = 0; i < fold.bytes; i += kStepBytes) {
        if (i % kFoldStepBytes == 0) take_ahead(fold, i);
        const __m512i sum = Sum::of(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
        for (std::byte* const to : fold.kept) _mm512_storeu_si512(to + i, sum);
        for (std::byte* const to : fold.streamed) {
            _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), sum);
        }
    }
}

bool is_plain_pair(const Reduction& reduction) {
    const auto is_plain = [](const auto& operand) { return !operand.wide; };
    return reduction.sources.size() == 2 && std::ranges::all_of(reduction.sources, is_plain) &&
           std::ranges::all_of(reduction.destinations, is_plain) &&
           std::ranges::none_of(reduction.sources, &ReduceSource::scaled);
}

template <class Sum, std::size_t kElementBytes>
void reduce_sum(const Reduction& reduction) {
    if (!is_plain_pair(reduction)) {
        constexpr int kSum = static_cast<int>(ReduceKind::kSum);
        return kAvx512ReduceTable.kernels[reduction.type][kSum].reduce(reduction);
    }
    constexpr std::size_t kCachedBytes = 2048;  // until they are copied to other destinations
    const auto destinations = reduction.destinations;
    const std::size_t bytes = reduction.count * kElementBytes;
    const bool taken = std::ranges::any_of(reduction.sources, &ReduceSource::taken);
    const std::size_t block = taken                      ? kTakenAheadBytes
                              : destinations.size() == 1 ? bytes
                                                         : kCachedBytes;
    const auto take = [&](std::size_t begin) {
        if (!taken || begin >= bytes) return;
        for (const ReduceSource& source : reduction.sources) {
            if (source.taken) take_lines(source.data + begin, std::min(block, bytes - begin));
        }
    };
    take(0);
    for (std::size_t begin = 0; begin < bytes; begin += block) {
        const std::size_t count = std::min(block, bytes - begin);
        take(begin + block);
        std::byte* const to = destinations[0].data + begin;
        sum_two<Sum>(to, reduction.sources[0].data + begin, reduction.sources[1].data + begin,
                     count);
        for (const ReduceDestination& other : destinations.subspan(1)) {
            std::memcpy(other.data + begin, to, count);
        }
    }
}

}  // namespace

ReduceTable with_fp16_kernels(const ReduceTable& table) {
    constexpr int kSum = static_cast<int>(ReduceKind::kSum);
    ReduceTable changed = table;
    changed.name = "avx512_fp16";
    const auto change = [&](xcclDataType_t type, auto reduce, StreamKernel stream) {
        changed.kernels[type][kSum].reduce = reduce;
        changed.kernels[type][kSum].stream[2] = stream;
    };
    change(xcclFloat16, reduce_sum<Float16Sum, 2>, stream_sums<Float16Sum>);
    change(xcclBfloat16, reduce_sum<PartedSum<Bfloat16Parts>, 2>,
           stream_sums<PartedSum<Bfloat16Parts>>);
    change(xcclFloat8e4m3, reduce_sum<E4m3Sum, 1>, stream_sums<E4m3Sum>);
    change(xcclFloat8e5m2, reduce_sum<PartedSum<E5m2Parts>, 1>, stream_sums<PartedSum<E5m2Parts>>);
    return changed;
}

}  // namespace xccl

#pragma GCC pop_options

#endif
