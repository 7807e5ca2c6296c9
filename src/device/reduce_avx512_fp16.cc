// Sums of two float16 or float8 on processors that add float16 (AVX512-FP16): 64 bytes take a third
// or half of the instructions of the way through float32 (lanes_avx512.inc).
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
#include "device/reduce_table.h"

#if defined(XCCL_HAS_FP16_KERNELS)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "device/elements.h"
#include "device/taken.h"

#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12's own header, on purpose
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512fp16")

namespace xccl {
namespace {

constexpr std::size_t kStepBytes = sizeof(__m512i);

// words / 2^bits, to nearest, ties to even; nothing may overflow.
template <int kBits>
[[gnu::always_inline]] inline __m512i rounded_words(__m512i words) {
    const __mmask32 is_odd = _mm512_test_epi16_mask(words, _mm512_set1_epi16(1 << kBits));
    const __m512i half = _mm512_mask_mov_epi16(_mm512_set1_epi16((1 << (kBits - 1)) - 1), is_odd,
                                               _mm512_set1_epi16(1 << (kBits - 1)));
    return _mm512_srli_epi16(_mm512_add_epi16(words, half), kBits);
}

// To nearest, and without exceptions, whatever the caller has set.
[[gnu::always_inline]] inline __m512i sum_of_halves(__m512i a, __m512i b) {
    return _mm512_castph_si512(_mm512_add_round_ph(_mm512_castsi512_ph(a), _mm512_castsi512_ph(b),
                                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

[[gnu::always_inline]] inline __m512i without_odd_nans(__m512i halves) {
    const __m512h values = _mm512_castsi512_ph(halves);
    const __mmask32 is_nan = _mm512_cmp_ph_mask(values, values, _CMP_UNORD_Q);
    return _mm512_mask_mov_epi16(halves, is_nan, _mm512_set1_epi16(0x7e00));
}

// An e4m3 is a float16 of 1/256 of its value, its bits moved: `words` has them in its upper bytes.
// NaN becomes a number, and is put back in the end.
struct E4m3Sum {
    [[gnu::always_inline]] static __m512i widened(__m512i words) {
        return _mm512_and_si512(_mm512_srai_epi16(words, 1),
                                _mm512_set1_epi16(static_cast<short>(0xbf80)));
    }
    // What overflows saturates.
    [[gnu::always_inline]] static __m512i bytes_of(__m512i a, __m512i b) {
        const __m512i sum = sum_of_halves(widened(a), widened(b));
        const __m512i magnitude =
            rounded_words<7>(_mm512_and_si512(sum, _mm512_set1_epi16(0x7fff)));
        const __m512i limited = _mm512_min_epu16(magnitude, _mm512_set1_epi16(0x7e));
        // limited | (sign & 0x80)
        return _mm512_ternarylogic_epi32(limited, _mm512_srli_epi16(sum, 8),
                                         _mm512_set1_epi16(0x80), 0xf8);
    }
    [[gnu::always_inline]] static __m512i finished(__m512i bytes, __m512i a, __m512i b) {
        const __m512i sign = _mm512_set1_epi8(-0x80);
        const __m512i all = _mm512_set1_epi8(-1);
        const __mmask64 is_nan = _mm512_cmpeq_epi8_mask(_mm512_or_si512(a, sign), all) |
                                 _mm512_cmpeq_epi8_mask(_mm512_or_si512(b, sign), all);
        return _mm512_mask_mov_epi8(bytes, is_nan, _mm512_set1_epi8(0x7f));
    }
};

// An e5m2 is the upper byte of a float16.
struct E5m2Sum {
    [[gnu::always_inline]] static __m512i bytes_of(__m512i a, __m512i b) {
        return rounded_words<8>(without_odd_nans(sum_of_halves(a, b)));
    }
    [[gnu::always_inline]] static __m512i finished(__m512i bytes, __m512i, __m512i) {
        return bytes;
    }
};

// Bytes become the upper halves of words, lower and upper eight of each 16, and are packed alike.
template <class Sum>
struct Float8Sum {
    [[gnu::always_inline]] static __m512i of(__m512i a, __m512i b) {
        const __m512i none = _mm512_setzero_si512();
        const __m512i lower =
            Sum::bytes_of(_mm512_unpacklo_epi8(none, a), _mm512_unpacklo_epi8(none, b));
        const __m512i upper =
            Sum::bytes_of(_mm512_unpackhi_epi8(none, a), _mm512_unpackhi_epi8(none, b));
        return Sum::finished(_mm512_packus_epi16(lower, upper), a, b);
    }
};

struct Float16Sum {
    [[gnu::always_inline]] static __m512i of(__m512i a, __m512i b) {
        return without_odd_nans(sum_of_halves(a, b));
    }
};

template <class Sum>
[[gnu::noinline]] void sum_two(std::byte* to, const std::byte* a, const std::byte* b,
                               std::size_t bytes) {
    std::size_t i = 0;
    for (; i + kStepBytes <= bytes; i += kStepBytes) {
        _mm512_storeu_si512(to + i, Sum::of(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i)));
    }
    if (i == bytes) return;
    const __mmask64 rest = (std::uint64_t{1} << (bytes - i)) - 1;  // fewer than 64
    _mm512_mask_storeu_epi8(
        to + i, rest,
        Sum::of(_mm512_maskz_loadu_epi8(rest, a + i), _mm512_maskz_loadu_epi8(rest, b + i)));
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
    const bool taken = reduction.sources[0].taken || reduction.sources[1].taken;
    const std::size_t block = taken                      ? kTakenAheadBytes
                              : destinations.size() == 1 ? bytes
                                                         : kCachedBytes;
    const auto take_block = [&](std::size_t begin) {
        for (const ReduceSource& source : reduction.sources) {
            if (!source.taken || begin >= bytes) continue;
            take_lines(source.data + begin, std::min(block, bytes - begin));
        }
    };
    take_block(0);
    for (std::size_t begin = 0; begin < bytes; begin += block) {
        const std::size_t count = std::min(block, bytes - begin);
        take_block(begin + block);
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
    changed.kernels[xcclFloat16][kSum].reduce = reduce_sum<Float16Sum, 2>;
    changed.kernels[xcclFloat8e4m3][kSum].reduce = reduce_sum<Float8Sum<E4m3Sum>, 1>;
    changed.kernels[xcclFloat8e5m2][kSum].reduce = reduce_sum<Float8Sum<E5m2Sum>, 1>;
    return changed;
}

}  // namespace xccl

#pragma GCC pop_options

#endif
