#include "data/pattern.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace xccl::perf {
namespace {

constexpr int kPoison = 0xa5;
// float64 could hold more; a whole number of this size is random enough.
constexpr int kMaxExactBits = 50;

// splitmix64's finisher: every bit of the input reaches every bit of the output.
std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}
std::uint64_t random_bits(const Pattern& pattern, std::uint64_t stream, std::size_t index) {
    return mix(mix(pattern.seed * 0x9e3779b97f4a7c15 + stream + 1) + index);
}
constexpr std::uint64_t kSharedStream = 0xffffffff;  // no rank has this number

// Whole numbers up to this are exact in the type.
std::int64_t largest_exact(const ElementType& type) {
    return std::int64_t{1} << std::min(type.mantissa_bits + 1, kMaxExactBits);
}

// Which ranks take part in element `index`: `width` of them, starting anywhere.
int place_in_window(const Pattern& pattern, int rank, std::size_t index) {
    const std::uint64_t start = random_bits(pattern, kSharedStream, index);
    return static_cast<int>((start + static_cast<std::uint64_t>(rank)) %
                            static_cast<std::uint64_t>(pattern.rank_count));
}

double whole_number_up_to(std::int64_t bound, std::uint64_t bits) {
    const std::uint64_t choices = 2 * static_cast<std::uint64_t>(bound) + 1;
    return static_cast<double>(static_cast<std::int64_t>(bits % choices) - bound);
}

double sum_input(const Pattern& pattern, int rank, std::size_t index) {
    const std::int64_t largest_weight = pattern.op == Operator::kMulsum ? 2 : 1;
    const std::int64_t budget = largest_exact(pattern.type) / largest_weight;
    const std::int64_t contributors = std::min<std::int64_t>(pattern.rank_count, budget);
    if (place_in_window(pattern, rank, index) >= contributors) return 0;
    return whole_number_up_to(budget / contributors,
                              random_bits(pattern, static_cast<std::uint64_t>(rank), index));
}

double prod_input(const Pattern& pattern, int rank, std::size_t index) {
    constexpr int kContributors = 4;  // exponents of at most 4 + 1: in range even of E4M3
    const std::uint64_t bits = random_bits(pattern, static_cast<std::uint64_t>(rank), index);
    const double sign = (bits & 1) != 0 ? -1 : 1;
    const int place = place_in_window(pattern, rank, index);
    if (place >= kContributors) return sign;
    const double mantissa = place == 0 ? 1 + static_cast<double>((bits >> 1) % 4) / 4 : 1;
    const int exponent = static_cast<int>((bits >> 3) % 3) - 1;
    return sign * std::ldexp(mantissa, exponent);
}

double avg_input(const Pattern& pattern, int rank, std::size_t index) {
    constexpr int kContributors = 2;
    if (place_in_window(pattern, rank, index) >= kContributors) return 0;
    const std::uint64_t bits = random_bits(pattern, static_cast<std::uint64_t>(rank), index);
    // Half of what is exact, so that the sum of two is within reach of the largest value.
    return static_cast<double>(bits %
                               (static_cast<std::uint64_t>(largest_exact(pattern.type)) / 2 + 1));
}

double float_input(const Pattern& pattern, int rank, std::size_t index) {
    switch (pattern.op) {
        case Operator::kProd:
            return prod_input(pattern, rank, index);
        case Operator::kAvg:
            return avg_input(pattern, rank, index);
        case Operator::kMax:
        case Operator::kMin:
            return whole_number_up_to(
                largest_exact(pattern.type),
                random_bits(pattern, static_cast<std::uint64_t>(rank), index));
        default:
            return sum_input(pattern, rank, index);
    }
}

std::uint64_t input_bits(const Pattern& pattern, int rank, std::size_t index) {
    if (!pattern.type.is_float || pattern.op == Operator::kNone) {
        return random_bits(pattern, static_cast<std::uint64_t>(rank), index);
    }
    return encode_float(pattern.type, float_input(pattern, rank, index));
}

double combine_floats(const Pattern& pattern, double so_far, double next, int rank) {
    switch (pattern.op) {
        case Operator::kProd:
            return so_far * next;
        case Operator::kMax:
            return std::max(so_far, next);
        case Operator::kMin:
            return std::min(so_far, next);
        case Operator::kMulsum:
            return so_far + next * mulsum_scalar(rank);
        default:
            return so_far + next;
    }
}

std::uint64_t reduced_float(const Pattern& pattern, std::size_t index) {
    double value = float_input(pattern, 0, index);  // mulsum: rank 0 multiplies by 1
    for (int rank = 1; rank < pattern.rank_count; ++rank) {
        value = combine_floats(pattern, value, float_input(pattern, rank, index), rank);
    }
    if (pattern.op == Operator::kAvg) value /= pattern.rank_count;
    return encode_float(pattern.type, value);
}

bool is_less(const ElementType& type, std::uint64_t a, std::uint64_t b) {
    const std::int64_t x = decode_integer(type, a);
    const std::int64_t y = decode_integer(type, b);
    if (type.is_signed) return x < y;
    return static_cast<std::uint64_t>(x) < static_cast<std::uint64_t>(y);
}

std::uint64_t combine_integers(const Pattern& pattern, std::uint64_t so_far, std::uint64_t next,
                               int rank) {
    switch (pattern.op) {
        case Operator::kProd:
            return so_far * next;
        case Operator::kMax:
            return is_less(pattern.type, so_far, next) ? next : so_far;
        case Operator::kMin:
            return is_less(pattern.type, next, so_far) ? next : so_far;
        case Operator::kMulsum:
            return so_far + next * static_cast<std::uint64_t>(mulsum_scalar(rank));
        default:
            return so_far + next;
    }
}

// The average of integers is the wrapped sum, divided, towards zero.
std::uint64_t divide_integer(const ElementType& type, std::uint64_t sum, int divisor) {
    const std::int64_t value = decode_integer(type, sum);
    if (type.is_signed) return static_cast<std::uint64_t>(value / divisor);
    return static_cast<std::uint64_t>(value) / static_cast<std::uint64_t>(divisor);
}

std::uint64_t reduced_integer(const Pattern& pattern, std::size_t index) {
    std::uint64_t value = input_bits(pattern, 0, index);
    for (int rank = 1; rank < pattern.rank_count; ++rank) {
        value = combine_integers(pattern, value, input_bits(pattern, rank, index), rank);
    }
    if (pattern.op == Operator::kAvg) {
        value = divide_integer(pattern.type, value, pattern.rank_count);
    }
    return value;
}

// Repeats the first `period` bytes until `total` are filled, doubling what is there.
void repeat(std::byte* destination, std::size_t period, std::size_t total) {
    for (std::size_t filled = period; filled < total;) {
        const std::size_t more = std::min(filled, total - filled);
        std::memcpy(destination + filled, destination, more);
        filled += more;
    }
}

template <typename BitsOf>
void fill(const ElementType& type, std::size_t first, std::size_t count, std::byte* destination,
          BitsOf bits_of) {
    const std::size_t computed = std::min(count, kPeriod);
    for (std::size_t i = 0; i < computed; ++i) {
        store_bits(type, bits_of((first + i) % kPeriod), destination + i * type.bytes);
    }
    repeat(destination, computed * type.bytes, count * type.bytes);
}

}  // namespace

void fill_input(const Pattern& pattern, int rank, std::size_t first, std::size_t count,
                std::byte* destination) {
    fill(pattern.type, first, count, destination,
         [&](std::size_t index) { return input_bits(pattern, rank, index); });
}

void fill_reduced(const Pattern& pattern, std::size_t first, std::size_t count,
                  std::byte* destination) {
    fill(pattern.type, first, count, destination, [&](std::size_t index) {
        return pattern.type.is_float ? reduced_float(pattern, index)
                                     : reduced_integer(pattern, index);
    });
}

void poison(std::byte* destination, std::size_t bytes) {
    std::memset(destination, kPoison, bytes);
}

}  // namespace xccl::perf
