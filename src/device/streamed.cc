#include "device/streamed.h"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/datatypes.h"
#include "device/reduce_table.h"
#include "device/taken.h"

namespace xccl {
namespace {

constexpr std::size_t kLineBytes = 64;

// One block of results, made in the first-level cache and streamed from there, where they cannot be
// streamed from registers.
constexpr std::size_t kStreamedBlockBytes = 4096;

// Reductions of more sources are rare, and bound by reading them.
constexpr std::size_t kMostStreamedSources = 16;

// Of one reduction in registers, and as many that are kept.
constexpr std::size_t kMostRegisterDestinations = 16;

std::size_t bytes_to_line(const std::byte* address) {
    return -reinterpret_cast<std::uintptr_t>(address) % kLineBytes;
}

#if defined(__x86_64__)
void stream_lines(std::byte* to, const std::byte* from, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += sizeof(__m128i)) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + i),
                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
    }
}

// A line by one store never waits for its other parts.
__attribute__((target("avx512f"))) void stream_whole_lines(std::byte* to, const std::byte* from,
                                                           std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += kLineBytes) {
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), _mm512_loadu_si512(from + i));
    }
}
#endif

// Whole lines by streaming stores: a line that is written in part is read after all.
void stream(std::byte* to, const std::byte* from, std::size_t bytes, bool taken) {
#if defined(__x86_64__)
    static const auto lines = __builtin_cpu_supports("avx512f") ? stream_whole_lines : stream_lines;
    const std::size_t head = std::min(bytes_to_line(to), bytes);
    std::memcpy(to, from, head);
    const std::size_t whole = (bytes - head) / kLineBytes * kLineBytes;
    const std::size_t block = taken ? std::min(whole, kTakenAheadBytes) : whole;
    if (taken) take_lines(from + head, block);
    for (std::size_t i = head; i < head + whole; i += block) {
        const std::size_t left = head + whole - i;
        if (taken && left > block) take_lines(from + i + block, std::min(block, left - block));
        lines(to + i, from + i, std::min(block, left));
    }
    std::memcpy(to + head + whole, from + head + whole, bytes - head - whole);
#else
    std::memcpy(to, from, bytes);
#endif
}

// Streaming stores are not ordered by the release that publishes a message: this pairs with it.
void order_streamed_stores() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

// A reduction by a StreamKernel, if there is one for it.
class RegisterReduction {
  public:
    RegisterReduction(const Reduction& reduction, std::span<const ReduceDestination> kept)
        : reduction_(reduction), kept_(kept), width_(element_bytes(reduction.type)) {
        if (is_as_stored()) {
            kernel_ = stream_kernel(reduction.type, reduction.kind, reduction.sources.size());
        }
    }
    // False: it cannot, and has done nothing.
    bool run() const {
        if (kernel_ == nullptr) return false;
        const std::size_t head = bytes_to_line(reduction_.destinations[0].data);
        if (head % width_ != 0) return false;
        for (const ReduceDestination& to : reduction_.destinations) {
            if (bytes_to_line(to.data) != head) return false;
        }
        const std::size_t first = std::min(head / width_, reduction_.count);
        const std::size_t left = (reduction_.count - first) * width_;
        const std::size_t whole = left / kFoldStepBytes * kFoldStepBytes;
        through_caches(0, first);
        in_registers(head, whole);
        through_caches(first + whole / width_, (left - whole) / width_);
        return true;
    }

  private:
    bool is_as_stored() const {
        const bool narrow = accumulate_type(reduction_.type) != reduction_.type;
        const auto is_wide = [&](const auto& operand) { return narrow && operand.wide; };
        return reduction_.destinations.size() <= kMostRegisterDestinations &&
               kept_.size() <= kMostRegisterDestinations &&
               std::none_of(reduction_.destinations.begin(), reduction_.destinations.end(),
                            is_wide) &&
               std::none_of(kept_.begin(), kept_.end(), is_wide) &&
               std::none_of(
                   reduction_.sources.begin(), reduction_.sources.end(),
                   [&](const ReduceSource& source) { return is_wide(source) || source.scaled; });
    }
    // The ends of lines.
    void through_caches(std::size_t begin, std::size_t count) const {
        if (count == 0) return;
        std::array<ReduceSource, kMostFoldSources> sources{};
        std::array<ReduceDestination, 2 * kMostRegisterDestinations> destinations{};
        std::size_t source_count = 0, destination_count = 0;
        for (const ReduceSource& source : reduction_.sources) {
            sources[source_count++] = {source.data + begin * width_, false, false};
        }
        for (const auto& some : {kept_, reduction_.destinations}) {
            for (const ReduceDestination& to : some) {
                destinations[destination_count++] = {to.data + begin * width_, false};
            }
        }
        Reduction step = reduction_;
        step.sources = {sources.data(), source_count};
        step.destinations = {destinations.data(), destination_count};
        step.count = count;
        reduce(step);
    }
    void in_registers(std::size_t skipped, std::size_t bytes) const {
        if (bytes == 0) return;
        std::array<std::byte*, kMostRegisterDestinations> streamed{}, kept{};
        std::array<const std::byte*, kMostFoldSources> sources{}, taken{};
        const auto at = [&](const auto& operand) { return operand.data + skipped; };
        std::ranges::transform(reduction_.destinations, streamed.begin(), at);
        std::ranges::transform(kept_, kept.begin(), at);
        std::ranges::transform(reduction_.sources, sources.begin(), at);
        std::size_t taken_count = 0;
        for (const ReduceSource& source : reduction_.sources) {
            if (!source.taken) continue;
            taken[taken_count++] = at(source);
            take_lines(at(source), std::min(bytes, kTakenAheadBytes));
        }
        kernel_({.streamed = {streamed.data(), reduction_.destinations.size()},
                 .kept = {kept.data(), kept_.size()},
                 .sources = sources.data(),
                 .taken = {taken.data(), taken_count},
                 .bytes = bytes});
    }

    const Reduction& reduction_;
    std::span<const ReduceDestination> kept_;
    std::size_t width_;
    StreamKernel kernel_ = nullptr;
};

// Elements of the first block: up to a line of the first destination, if one begins between two.
std::size_t first_block(const Reduction& reduction, std::size_t block, std::size_t width) {
    const std::size_t head = bytes_to_line(reduction.destinations[0].data);
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): the API lets no unknown type in
    if (head == 0 || head % width != 0) return block;
    return block - kLineBytes / width + head / width;
}

// In blocks that lie in the first-level cache.
void stream_blocks(const Reduction& reduction) {
    const std::size_t narrow_width = element_bytes(reduction.type);
    const std::size_t wide_width = element_bytes(accumulate_type(reduction.type));
    const auto width = [&](bool wide) { return wide ? wide_width : narrow_width; };
    alignas(kLineBytes) std::array<std::byte, kStreamedBlockBytes> narrow_block;
    alignas(kLineBytes) std::array<std::byte, kStreamedBlockBytes> wide_block;
    std::array<ReduceDestination, 2> blocks{};
    std::size_t block_count = 0;
    for (const bool wide : {false, true}) {
        if (std::any_of(reduction.destinations.begin(), reduction.destinations.end(),
                        [&](const ReduceDestination& to) { return to.wide == wide; })) {
            blocks[block_count++] = {wide ? wide_block.data() : narrow_block.data(), wide};
        }
    }
    std::array<ReduceSource, kMostStreamedSources> sources{};
    std::copy(reduction.sources.begin(), reduction.sources.end(), sources.begin());
    Reduction step = reduction;
    step.sources = {sources.data(), reduction.sources.size()};
    step.destinations = {blocks.data(), block_count};
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): the API lets no unknown type in
    const std::size_t block = kStreamedBlockBytes / wide_width;
    const std::size_t first = first_block(reduction, block, width(reduction.destinations[0].wide));
    for (std::size_t begin = 0; begin < reduction.count; begin += step.count) {
        step.count = std::min(begin == 0 ? first : block, reduction.count - begin);
        for (std::size_t s = 0; s < step.sources.size(); ++s) {
            const ReduceSource& source = reduction.sources[s];
            sources[s].data = source.data + begin * width(source.wide);
        }
        reduce(step);
        if (begin + step.count < reduction.count) {  // while the block is streamed
            for (const ReduceSource& source : step.sources) {
                if (!source.taken) continue;
                const std::size_t left = reduction.count - begin - step.count;
                take_lines(source.data + step.count * width(source.wide),
                           std::min(left * width(source.wide), kTakenAheadBytes));
            }
        }
        for (const ReduceDestination& to : reduction.destinations) {
            stream(to.data + begin * width(to.wide),
                   to.wide ? wide_block.data() : narrow_block.data(), step.count * width(to.wide),
                   false);
        }
    }
}

// What lies in a cache since it was combined there, perhaps where a source lay.
void stream_combined(const Reduction& reduction, const ReduceDestination& combined) {
    const std::size_t narrow_width = element_bytes(reduction.type);
    const ReduceSource source{.data = combined.data, .wide = combined.wide, .scaled = false};
    for (const ReduceDestination& to : reduction.destinations) {
        if (to.wide == combined.wide) {
            const std::size_t width =
                to.wide ? element_bytes(accumulate_type(reduction.type)) : narrow_width;
            stream(to.data, combined.data, reduction.count * width, false);
            continue;
        }
        Reduction step = reduction;
        step.sources = {&source, 1};
        step.destinations = {&to, 1};
        stream_blocks(step);
    }
}

}  // namespace

void reduce_streamed(const Reduction& reduction, std::span<const ReduceDestination> kept) {
    if (RegisterReduction(reduction, kept).run()) return order_streamed_stores();
    if (!kept.empty()) {
        Reduction to_kept = reduction;
        to_kept.destinations = kept;
        reduce(to_kept);
        stream_combined(reduction, kept.front());
    } else if (reduction.sources.size() > kMostStreamedSources) {
        return reduce(reduction);
    } else {
        stream_blocks(reduction);
    }
    order_streamed_stores();
}

void copy_bytes_streamed(std::byte* destination, const std::byte* source, std::size_t bytes) {
    if (bytes == 0 || destination == source) return;
    stream(destination, source, bytes, false);
    order_streamed_stores();
}

void copy_bytes_taken_streamed(std::byte* destination, const std::byte* source, std::size_t bytes) {
    if (bytes == 0 || destination == source) return;
    stream(destination, source, bytes, true);
    order_streamed_stores();
}

}  // namespace xccl
