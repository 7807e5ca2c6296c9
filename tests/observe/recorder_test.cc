// The flight recorder keeps the last operations and tells their state as JSON.

#include "observe/recorder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace xccl {
namespace {

OperationDescriptor operation(std::uint64_t sequence) {
    OperationDescriptor descriptor;
    descriptor.sequence = sequence;
    descriptor.count = 10;
    descriptor.coll = xcclCollAllReduce;
    descriptor.datatype = xcclFloat32;
    return descriptor;
}

TEST(FlightRecorder, TellsPendingDoneAndFailed) {
    FlightRecorder recorder;
    const auto done = recorder.begin(operation(1));
    recorder.start_clock(done);
    recorder.stop_clock(done);
    recorder.end(done, xcclSuccess);
    const auto failed = recorder.begin(operation(2));
    recorder.end(failed, xcclRemoteError);
    recorder.start_clock(recorder.begin(operation(3)));
    const auto list = nlohmann::json::parse(recorder.json());
    ASSERT_EQ(list.size(), 3u);
    EXPECT_EQ(list[0]["state"], "done");
    EXPECT_EQ(list[0]["operation"], "all_reduce #1 of 10 float32, sum");
    EXPECT_EQ(list[1]["state"], "failed");
    EXPECT_EQ(list[1]["result"], static_cast<int>(xcclRemoteError));
    EXPECT_EQ(list[2]["state"], "pending");
    EXPECT_LE(list[0]["start_ms"], list[2]["start_ms"]);
}

TEST(FlightRecorder, TellsTimesOfWhatWasTimed) {
    FlightRecorder recorder;
    recorder.end(recorder.begin(operation(1)), xcclSuccess);  // never
    const auto began_to_wait = recorder.begin(operation(2));
    recorder.start_clock(began_to_wait);
    recorder.end(began_to_wait, xcclSuccess);
    const auto waited = recorder.begin(operation(3));
    recorder.start_clock(waited);
    const std::uint64_t from = cycles();
    while (cycles() - from < 100000) {
    }
    recorder.start_clock(waited);  // does not start it anew
    recorder.stop_clock(waited);
    recorder.end(waited, xcclSuccess);
    recorder.start_clock(recorder.begin(operation(4)));
    const auto list = nlohmann::json::parse(recorder.json());
    EXPECT_TRUE(list[0]["start_ms"].is_null());
    EXPECT_TRUE(list[0]["duration_us"].is_null());
    EXPECT_TRUE(list[1]["start_ms"].is_number());
    EXPECT_TRUE(list[1]["duration_us"].is_null());
    EXPECT_GT(list[2]["duration_us"], 0);
    EXPECT_GE(list[3]["duration_us"], 0);
    EXPECT_GT(list[3]["start_ms"], list[2]["start_ms"]);
}

TEST(FlightRecorder, KeepsTheLastOnes) {
    FlightRecorder recorder;
    const auto first = recorder.begin(operation(1));
    for (std::uint64_t i = 2; i <= FlightRecorder::kEntryCount + 5; ++i)
        recorder.begin(operation(i));
    recorder.end(first, xcclRemoteError);  // overwritten since: must not mark a stranger
    const auto list = nlohmann::json::parse(recorder.json());
    ASSERT_EQ(list.size(), FlightRecorder::kEntryCount);
    EXPECT_EQ(list[0]["operation"], "all_reduce #6 of 10 float32, sum");
    for (const auto& entry : list) EXPECT_EQ(entry["state"], "pending");
}

}  // namespace
}  // namespace xccl
