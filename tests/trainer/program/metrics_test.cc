// Goal: every line is JSON that says what it should, whatever the numbers and the bytes.
#include "report/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace xccl::trainer {
namespace {

using Json = nlohmann::json;

TEST(Metrics, Step) {
    StepRecord record{.step = 7, .tokens = 1000, .elapsed = 3, .loss = 2.5, .learning_rate = 1e-3};
    record.times = {.compute = 0.3,
                    .exposed_communication = 0.1,
                    .input = 0.05,
                    .optimizer = 0.05,
                    .other = 0,
                    .hidden_communication = 0.01};
    const std::string line = step_line(record);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const Json json = Json::parse(line);
    EXPECT_EQ(json["event"], "step");
    EXPECT_EQ(json["step"], 7);
    EXPECT_EQ(json["loss"], 2.5);
    EXPECT_NEAR(json["tokens_per_second"], 2000, 1e-9);
    EXPECT_NEAR(json["exposed_communication"], 0.2, 1e-12);
    EXPECT_NEAR(json["hidden_communication"], 0.02, 1e-12);
    double shares = 0;
    for (const char* name : {"compute", "exposed_communication", "input", "optimizer", "other"}) {
        shares += json[name].get<double>();
    }
    EXPECT_NEAR(shares, 1, 1e-12);
}

TEST(Metrics, NumbersThatAreNoneAreNull) {
    StepRecord record;
    record.loss = std::nan("");
    record.gradient_norm = std::numeric_limits<double>::infinity();
    const Json json = Json::parse(step_line(record));
    EXPECT_TRUE(json["loss"].is_null());
    EXPECT_TRUE(json["gradient_norm"].is_null());
    EXPECT_EQ(json["tokens_per_second"], 0);
}

TEST(Metrics, RunAndEnd) {
    RunSummary run;
    run.settings = {{"batch", "32"}, {"text", "a \"b\".txt"}};
    run.rank_count = 2;
    run.rank_times = {{.compute = 3, .exposed_communication = 1}, {.compute = 4}};
    run.evaluations = {{.step = 0, .elapsed = 0, .loss = 5.5},
                       {.step = 9, .elapsed = 1, .loss = 1}};
    run.sample = "odd \xff bytes\n";
    run.parameter_checksum = "0123";
    EXPECT_EQ(Json::parse(run_line(run))["settings"]["text"], "a \"b\".txt");
    const Json end = Json::parse(end_line(run));
    EXPECT_EQ(end["loss_before"], 5.5);
    EXPECT_EQ(end["loss_after"], 1);
    EXPECT_NEAR(end["bits_per_byte"], 1.442695, 1e-6);
    EXPECT_NEAR(end["compute"], 7.0 / 8, 1e-12);
    EXPECT_NEAR(end["exposed_communication_seconds"], 0.5, 1e-12);
    EXPECT_EQ(end["sample"], "odd \xef\xbf\xbd bytes\n");
}

TEST(Metrics, Evaluation) {
    const Json json =
        Json::parse(evaluation_line({.step = 3, .elapsed = 1.5, .loss = std::log(2)}));
    EXPECT_EQ(json["event"], "evaluation");
    EXPECT_NEAR(json["bits_per_byte"], 1, 1e-12);
}

}  // namespace
}  // namespace xccl::trainer
