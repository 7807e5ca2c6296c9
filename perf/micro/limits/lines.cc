// How long a cache line takes from one core to another, between two processes: the floor below
// every message in shared memory.
//
// flag_round_trip: one line each way, of which only a flag is used. payload_*: a flag and up to 56
// bytes behind it in the same line, written and read as a message would be; half a round trip.
// Who waits pauses between loads: loads without pauses, the variant, ask for the line so often that
// they take it from its writer.
#include <immintrin.h>

#include <atomic>
#include <cstdint>
#include <cstring>

#include "limits/groups.h"
#include "limits/pair.h"

namespace xccl::limits {
namespace {

constexpr std::size_t kMostPayload = 56;

struct alignas(64) Line {
    std::atomic<std::uint64_t> flag{0};
    unsigned char payload[kMostPayload] = {};
};
struct Lines {
    Line there;
    Line back;
};

enum class Waiting { kLoads, kPauses };

template <Waiting waiting>
void await(const Line& line, std::uint64_t value) {
    // Pairs with the release in send().
    while (line.flag.load(std::memory_order_acquire) != value) {
        if constexpr (waiting == Waiting::kPauses) _mm_pause();
    }
}

template <std::size_t bytes>
void send(Line& line, std::uint64_t value, const unsigned char* payload) {
    std::memcpy(line.payload, payload, bytes);
    line.flag.store(value, std::memory_order_release);  // pairs with await()
}

// One trip there and back for each number up to the last, which the other process ends with.
template <std::size_t bytes, Waiting waiting>
std::vector<double> round_trips(const Effort& effort) {
    constexpr std::uint64_t kEnd = ~std::uint64_t{0};
    Shared<Lines> lines;
    std::vector<double> samples;
    const auto mine = [&] {
        std::uint64_t trip = 0;
        unsigned char payload[kMostPayload] = {1};
        samples = seconds_per_call(effort, [&](long count) {
            for (; count > 0; --count) {
                send<bytes>(lines->there, ++trip, payload);
                await<waiting>(lines->back, trip);
                std::memcpy(payload, lines->back.payload, bytes);
            }
        });
        lines->there.flag.store(kEnd, std::memory_order_release);  // pairs with `other`
    };
    const auto other = [&] {
        unsigned char payload[kMostPayload] = {};
        std::uint64_t seen = 0;
        for (std::uint64_t trip = 1;; ++trip) {
            while ((seen = lines->there.flag.load(std::memory_order_acquire)) != trip) {
                if (seen == kEnd) return;
                if constexpr (waiting == Waiting::kPauses) _mm_pause();
            }
            std::memcpy(payload, lines->there.payload, bytes);
            send<bytes>(lines->back, trip, payload);
        }
    };
    run_pair({}, mine, other);
    return samples;
}

template <std::size_t bytes>
Figure one_way(const Effort& effort, const char* name) {
    return figure_of(name, "ns", times(round_trips<bytes, Waiting::kPauses>(effort), 1e9 / 2));
}

}  // namespace

std::vector<Figure> line_figures(const Effort& effort) {
    if (core_count() < 2) return {no_figure("flag_round_trip", "ns", "needs two cores")};
    return {
        figure_of("flag_round_trip", "ns", times(round_trips<0, Waiting::kPauses>(effort), 1e9)),
        figure_of("flag_round_trip_without_pauses", "ns",
                  times(round_trips<0, Waiting::kLoads>(effort), 1e9)),
        one_way<8>(effort, "payload_8_one_way"), one_way<24>(effort, "payload_24_one_way"),
        one_way<56>(effort, "payload_56_one_way")};
}

}  // namespace xccl::limits
