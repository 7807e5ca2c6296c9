// Goal: the timing loop issues what nccl-tests would, in its order; summaries, memory and traffic
// are computed as documented. Method: loops over recorded actions, and figures by hand.
#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "collectives/traffic.h"
#include "failure.h"
#include "measure/statistics.h"
#include "measure/timing_loop.h"
#include "run/host.h"
#include "run/progress.h"

namespace xccl::perf {
namespace {

// "b" barrier, "w" wait, "2" a group of two operations ...
std::string recorded(const LoopShape& shape, Timing* timing = nullptr) {
    std::string record;
    long next = 0;
    const LoopActions actions{
        [&](long first, int count) {
            EXPECT_EQ(first, next);
            next += count;
            record += std::to_string(count);
        },
        [&] { record += 'w'; },
        [&] { record += 'b'; },
    };
    const Timing measured = run_timing_loop(shape, actions);
    EXPECT_EQ(static_cast<double>(next), shape.operation_count());
    if (timing != nullptr) *timing = measured;
    return record;
}

TEST(TimingLoop, OrderOfWhatIsDone) {
    EXPECT_EQ(recorded({.iterations = 3}), "b111w");
    EXPECT_EQ(recorded({.iterations = 2, .aggregated = 4}), "b44w");
    EXPECT_EQ(recorded({.iterations = 2, .replays = 3}), "b111111w");
    EXPECT_EQ(recorded({.iterations = 2, .blocking = Blocking::kWait}), "b1w1ww");
    EXPECT_EQ(recorded({.iterations = 2, .aggregated = 2, .blocking = Blocking::kWaitAndBarrier}),
              "b1wb1wb1wb1wbw");
    EXPECT_EQ(recorded({.iterations = 2, .blocking = Blocking::kOuterBarrierUntimed}), "b1wb1wbw");
    EXPECT_EQ(recorded({.iterations = 2, .time_iterations = true}), "b1w1ww");
}

TEST(TimingLoop, SingleIterationsAddUp) {
    Timing timing;
    recorded({.iterations = 50, .aggregated = 2, .time_iterations = true}, &timing);
    ASSERT_EQ(timing.iterations.size(), 50u);
    const double sum = std::accumulate(timing.iterations.begin(), timing.iterations.end(), 0.0);
    EXPECT_LE(sum, timing.total * 100 * (1 + 1e-9));
    EXPECT_LE(timing.launching, timing.total);
}

TEST(Statistics, NearestRankAndPopulation) {
    std::vector<double> samples(200);
    std::iota(samples.rbegin(), samples.rend(), 1.0);
    const Summary s = summarise(samples);
    EXPECT_EQ(s.min, 1);
    EXPECT_EQ(s.max, 200);
    EXPECT_EQ(s.p50, 101);  // sorted[100]
    EXPECT_EQ(s.p95, 190);
    EXPECT_EQ(s.p99, 198);
    EXPECT_DOUBLE_EQ(s.mean, 100.5);
    EXPECT_NEAR(s.deviation, 57.734305, 1e-6);
    const double one[] = {4};
    EXPECT_EQ(summarise(one).p99, 4);
    EXPECT_EQ(summarise(one).deviation, 0);
    EXPECT_EQ(summarise({}).max, 0);
}

TEST(Traffic, GrowsWithTheDistance) {
    const Traffic t = spread_traffic(3, 100, 1, 4);
    EXPECT_EQ(t.count(0, 0), 0u);
    EXPECT_EQ(t.count(0, 1), 48u);  // half, rounded down to 4 elements
    EXPECT_EQ(t.count(0, 2), 100u);
    EXPECT_EQ(t.sent_by(0), 148u);
    EXPECT_EQ(t.sent_by(1), 96u);
    EXPECT_EQ(t.busiest(), 148u);
    EXPECT_EQ(t.send_offset(0, 2), 48u);
    EXPECT_EQ(t.receive_offset(2, 0), 48u);
    const Traffic uniform = spread_traffic(3, 100, 0, 4);
    EXPECT_EQ(uniform.count(1, 1), 100u);
    EXPECT_EQ(uniform.busiest(), 300u);
    EXPECT_EQ(spread_traffic(1, 100, 1, 4).busiest(), 100u);
}

TEST(Traffic, MatrixFilesAreReadStrictly) {
    const auto cells = parse_matrix("32 16\n\n 64\t1e2\n", 2);
    const Traffic t = matrix_traffic(cells, 2, 1, 4);
    EXPECT_EQ(t.count(0, 0), 8u);
    EXPECT_EQ(t.count(1, 0), 16u);
    EXPECT_EQ(t.count(1, 1), 24u);  // 100 bytes, rounded down to 96
    EXPECT_EQ(matrix_traffic(cells, 1, 2, 8).count(0, 0), 8u);
    for (const char* text : {"1 2\n3", "1 2\n3 x", "1 -2\n3 4", "1", "", "1 2 3\n4 5 6"}) {
        EXPECT_THROW(parse_matrix(text, 2), Failure) << text;
    }
}

TEST(Host, MemoryIsReadAndShared) {
    EXPECT_EQ(memory_field("MemTotal: 5 kB\nMemAvailable:   12 kB\n", "MemAvailable"), 12288u);
    EXPECT_FALSE(memory_field("MemTotal: 5 kB\n", "MemAvailable"));
    constexpr std::size_t kGiB = std::size_t{1} << 30;
    EXPECT_EQ(largest_size(16 * kGiB, 1, 0), 7 * kGiB);  // 2 GiB kept
    EXPECT_EQ(largest_size(16 * kGiB, 7, 100), kGiB - 100);
    EXPECT_EQ(largest_size(256 * kGiB, 1, 0), (256 - 5) * kGiB / 2);
    EXPECT_EQ(largest_size(kGiB, 2, 0), kGiB * 3 / 16);  // a quarter kept
    EXPECT_EQ(largest_size(0, 2, 100), 0u);
    EXPECT_GT(available_memory(), 0u);
    EXPECT_GT(resident_memory(), 0u);
}

TEST(Progress, DurationsForPeople) {
    EXPECT_EQ(duration_text(40), "40 s");
    EXPECT_EQ(duration_text(600), "10 min");
    EXPECT_EQ(duration_text(9000), "2.5 h");
}

}  // namespace
}  // namespace xccl::perf
