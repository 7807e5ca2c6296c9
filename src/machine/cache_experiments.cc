#include "machine/cache_experiments.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>

#include "base/quiet_thread.h"
#include "device/kernels.h"
#include "device/streamed.h"
#include "machine/core_pair.h"

namespace xccl {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;  // a slot
// Where few rounds and few bytes compete: in the first-level cache.
constexpr std::size_t kCachedBytes = std::size_t{16} << 10;
constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::array<std::size_t, 6> kStreamingSizes = {2 * kMiB,  4 * kMiB,  8 * kMiB,
                                                        16 * kMiB, 32 * kMiB, 48 * kMiB};
// Two of large sizes, which take milliseconds; of 48 MiB a tenth of all the time there is.
constexpr std::size_t kLargeSize = 16 * kMiB;
constexpr int repeats_of(std::size_t bytes) {
    return bytes < kLargeSize ? 3 : 2;
}
constexpr double kClearly = 0.97;  // of the time: noise is less

// On the first of the two cores, whatever the caller's thread is pinned to.
template <typename Body>
void on_a_core(Body&& body) {
    const int cpu = choose_core_pair().first;  // here, where it may throw
    quiet_thread([&] {
        pin_this_thread(cpu);
        body();
    }).join();
}

class Pages {
  public:
    explicit Pages(std::size_t bytes)
        : bytes_(bytes),
          memory_(
              mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
    ~Pages() {
        if (*this) munmap(memory_, bytes_);
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    Pages(Pages&&) = delete;
    Pages& operator=(Pages&&) = delete;
    explicit operator bool() const { return memory_ != MAP_FAILED; }
    std::byte* at(std::size_t offset) const { return static_cast<std::byte*>(memory_) + offset; }

  private:
    std::size_t bytes_;
    void* memory_;
};

void add(std::byte* to, const std::byte* a, const std::byte* b, std::size_t bytes) {
    pair_kernel(xcclInt32, ReduceKind::kSum)(to, a, b, bytes / sizeof(std::int32_t));
}

void add_streamed(std::byte* to, const std::byte* a, const std::byte* b, std::size_t bytes) {
    const std::array<ReduceSource, 2> sources = {{{a, false, false}, {b, false, false}}};
    const std::array<ReduceDestination, 1> destinations = {{{to, false}}};
    reduce_streamed({xcclInt32, ReduceKind::kSum, sources, destinations,
                     bytes / sizeof(std::int32_t), Scale{}});
}

// Least microseconds of a call; a few hundred calls of microseconds.
template <typename Call>
std::optional<double> least_us(const Stopwatch& stopwatch, Call&& call) {
    constexpr int kBatches = 40;
    constexpr int kCalls = 8;
    double least = std::numeric_limits<double>::max();
    for (int batch = 0; batch < kBatches; ++batch) {
        const double start = stopwatch.elapsed_us();
        for (int i = 0; i < kCalls; ++i) call();
        least = std::min(least, (stopwatch.elapsed_us() - start) / kCalls);
        if (stopwatch.over()) return std::nullopt;
    }
    return least;
}

// A buffer, half input and half output, to which a slot's contents are added again and again.
class Streaming {
  public:
    Streaming(const Stopwatch& stopwatch, const Pages& pages)
        : stopwatch_(stopwatch), pages_(pages) {
        std::memset(slot(), 1, kPieceBytes);
    }

    // How much longer streaming takes, as a factor; none if the time was up before it was known.
    std::optional<double> ratio(std::size_t bytes) {
        if (!touch(bytes)) return std::nullopt;
        std::array<double, 2> least = {std::numeric_limits<double>::max(),
                                       std::numeric_limits<double>::max()};
        for (int repeat = 0; repeat < repeats_of(bytes); ++repeat) {
            for (const bool streamed : {false, true}) {
                // The first brings the caches to where they are in a loop of calls.
                if (!pass(bytes, streamed)) return result(least, repeat);
                const double start = stopwatch_.elapsed_us();
                if (!pass(bytes, streamed)) return result(least, repeat);
                least[streamed] = std::min(least[streamed], stopwatch_.elapsed_us() - start);
            }
        }
        return result(least, repeats_of(bytes));
    }

  private:
    static std::optional<double> result(const std::array<double, 2>& least, int repeats) {
        if (repeats == 0) return std::nullopt;
        return least[1] / least[0];
    }
    // What comes from the peer, and where what was read goes: behind the buffer.
    std::byte* slot() const { return pages_.at(kStreamingSizes.back()); }
    std::byte* result_read() const { return pages_.at(kStreamingSizes.back() + kPieceBytes); }
    // Pages that nobody has written are all the same one.
    bool touch(std::size_t bytes) {
        for (; touched_ < bytes; touched_ += kMiB) {
            std::memset(pages_.at(touched_), 1, kMiB);
            if (stopwatch_.over()) return false;
        }
        return true;
    }
    // Writes the output, and reads it as the caller will.
    bool pass(std::size_t bytes, bool streamed) {
        const std::size_t half = bytes / 2;
        for (std::size_t offset = 0; offset < half; offset += kPieceBytes) {
            (streamed ? add_streamed : add)(pages_.at(half + offset), pages_.at(offset), slot(),
                                            kPieceBytes);
            if (offset % kMiB == 0 && stopwatch_.over()) return false;
        }
        for (std::size_t offset = 0; offset < half; offset += kPieceBytes) {
            add(result_read(), pages_.at(half + offset), slot(), kPieceBytes);
            if (offset % kMiB == 0 && stopwatch_.over()) return false;
        }
        return true;
    }

    const Stopwatch& stopwatch_;
    const Pages& pages_;
    std::size_t touched_ = 0;
};

// Between two sizes, where a straight line through the logarithms of the ratios crosses 1.
double crossing(double below, double ratio_below, double above, double ratio_above) {
    const double part = std::log(ratio_below) / std::log(ratio_below / ratio_above);
    return below * std::pow(above / below, std::clamp(part, 0.0, 1.0));
}

}  // namespace

void measure_caches(const Stopwatch& stopwatch, MeasuredCosts* costs) {
    on_a_core([&] {
        // On lines, and not all at the same place of a page: loads would wait for unrelated stores.
        constexpr std::size_t kStride = kCachedBytes + 1024;
        const Pages pages(4 * kCachedBytes);
        if (!pages) return;
        std::byte* const a = pages.at(0);
        std::byte* const b = pages.at(kStride);
        std::byte* const to = pages.at(2 * kStride);
        std::memset(a, 1, 2 * kStride);
        const auto copying = least_us(stopwatch, [&] { copy_bytes(to, a, kCachedBytes); });
        const auto adding = least_us(stopwatch, [&] { add(to, a, b, kCachedBytes); });
        if (!copying || !adding) return;
        const double bytes = static_cast<double>(kCachedBytes);
        // A core may be as fast as it likes, and adding hide behind reading: no disturbance.
        const MeasuredCosts built_in = built_in_costs();
        const double copied = *copying / bytes / 2;
        const double added = *adding / bytes - 3 * copied;
        costs->buffer_us_per_byte = std::max(copied, built_in.buffer_us_per_byte / 8);
        costs->combine_us_per_byte = std::max(added, built_in.combine_us_per_byte / 8);
    });
}

void measure_streaming(const Stopwatch& stopwatch, MeasuredCosts* costs) {
    on_a_core([&] {
        const Pages pages(kStreamingSizes.back() + 2 * kPieceBytes);
        if (!pages) return;
        Streaming streaming(stopwatch, pages);
        double size_before = 0, ratio_before = 1;
        for (const std::size_t bytes : kStreamingSizes) {
            const std::optional<double> ratio = streaming.ratio(bytes);
            if (!ratio) return;
            const double size = static_cast<double>(bytes);
            if (*ratio <= kClearly) {
                costs->cached_bytes = size_before > 0 && ratio_before > 1
                                          ? crossing(size_before, ratio_before, size, *ratio)
                                          : size;
                return;
            }
            size_before = size;
            ratio_before = *ratio;
        }
    });
}

}  // namespace xccl
