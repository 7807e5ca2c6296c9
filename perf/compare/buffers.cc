#include "buffers.h"

#include <cpuid.h>
#include <immintrin.h>

#include <algorithm>

namespace xccl::compare {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kLineBytes = 64;
constexpr float kNoResult = -1;  // no value of the pattern is negative, nor a sum of them

std::size_t whole_pages(std::size_t elements) {
    const std::size_t bytes = elements * sizeof(float);
    return std::max(kPageBytes, (bytes + kPageBytes - 1) / kPageBytes * kPageBytes);
}

bool can_flush_side_by_side() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_CLFLUSHOPT) != 0;
}

// Several lines at a time, where clflush waits for each.
__attribute__((target("clflushopt"))) void flush_side_by_side(const char* start,
                                                              std::size_t bytes) {
    for (std::size_t offset = 0; offset < bytes; offset += kLineBytes) {
        // The intrinsic takes a pointer to what it may write, though it changes nothing.
        _mm_clflushopt(const_cast<char*>(start) + offset);
    }
}

// Out of the caches of all cores, and into memory.
void throw_out(std::span<const float> buffer) {
    static const bool side_by_side = can_flush_side_by_side();
    const char* start = reinterpret_cast<const char*>(buffer.data());
    if (side_by_side) {
        flush_side_by_side(start, buffer.size_bytes());
    } else {
        for (std::size_t offset = 0; offset < buffer.size_bytes(); offset += kLineBytes) {
            _mm_clflush(start + offset);
        }
    }
    _mm_mfence();
}

}  // namespace

Buffers::Buffers(Library& library, const Request& request)
    : request_(request),
      shape_(shape_of(request, library.rank_count())),
      one_buffer_(request.in_place || request.operation == Operation::kBroadcast),
      stride_(whole_pages(std::max(shape_.input, shape_.output))),
      pattern_(request.operation, shape_.block, library.rank(), library.rank_count()),
      inputs_(library, request.pairs * stride_, request.pages),
      outputs_(library, one_buffer_ ? kPageBytes : request.pairs * stride_, request.pages),
      is_there_(inputs_.start() != nullptr && outputs_.start() != nullptr) {
    for (std::size_t turn = 0; is_there_ && turn < request_.pairs; ++turn) {
        std::ranges::fill(output(turn), kNoResult);  // touched, whoever allocated it
    }
}

std::span<float> Buffers::input(std::size_t turn) const {
    char* start = static_cast<char*>(inputs_.start()) + turn * stride_;
    return {reinterpret_cast<float*>(start), shape_.input};
}

std::span<float> Buffers::output(std::size_t turn) const {
    const Memory& memory = one_buffer_ ? inputs_ : outputs_;
    char* start = static_cast<char*>(memory.start()) + turn * stride_;
    return {reinterpret_cast<float*>(start), shape_.output};
}

Call Buffers::call(std::size_t turn) const {
    return {.operation = request_.operation,
            .input = input(turn),
            .output = output(turn),
            .algorithm = request_.algorithm,
            .rotates = request_.mode == Mode::kCold};
}

void Buffers::rewrite(int first) {
    for (std::size_t turn = 0; turn < request_.pairs; ++turn) {
        const bool is_cold = request_.mode == Mode::kCold;
        if (is_cold) std::ranges::fill(output(turn), kNoResult);
        pattern_.write_input(input(turn), first + static_cast<int>(turn));
        if (!is_cold) continue;
        throw_out(input(turn));
        throw_out(output(turn));
    }
}

std::string Buffers::difference(int first, std::size_t count) const {
    std::string text;
    for (std::size_t turn = 0; turn < count && text.empty(); ++turn) {
        text = pattern_.difference(output(turn), first + static_cast<int>(turn));
    }
    return text;
}

}  // namespace xccl::compare
