// Goal: the JSON report has nccl-tests' keys in its order and can be read whatever happened; the
// picture is well-formed and shows what it is given. Method: reports written to memory, read back
// by nlohmann-json and by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include "report/axis.h"
#include "report/json_report.h"
#include "report/plot.h"

namespace xccl::perf {
namespace {

using Json = nlohmann::ordered_json;

// What is written to a file that lives in memory.
class MemoryFile {
  public:
    MemoryFile() : file_(open_memstream(&text_, &length_)) {}
    ~MemoryFile() { std::free(text_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::FILE* file() const { return file_; }
    std::string text() const { return {text_, length_}; }  // once it is closed

  private:
    char* text_ = nullptr;
    std::size_t length_ = 0;
    std::FILE* file_;
};

std::vector<std::string> keys(const Json& object) {
    std::vector<std::string> names;
    for (const auto& [name, value] : object.items()) names.push_back(name);
    return names;
}

Row sample_row() {
    Row row;
    row.size = 1024;
    row.count = 256;
    row.type = "float";
    row.op = "sum";
    row.iterations = 20;
    row.out_of_place.time_us = 10;
    row.out_of_place.algorithm_gbs = 0.1024;
    row.out_of_place.bus_gbs = 0.1536;
    row.out_of_place.wrong = 0;
    row.in_place = row.out_of_place;
    row.in_place.wrong.reset();
    return row;
}

JsonPreamble sample_preamble(const Options* options) {
    JsonPreamble preamble;
    preamble.arguments = {"./all_reduce_perf", "-b", "8"};
    preamble.environment = {"XCCL_DEBUG=info"};
    preamble.xccl_version = 100;
    preamble.options = options;
    preamble.devices = {{0, 0, 77, "host", 0, "host memory"}};
    preamble.start_time = "2026-07-09 12:00:00";
    return preamble;
}

TEST(JsonReport, KeysAndTheirOrder) {
    const Options options;
    MemoryFile memory;
    JsonReport report(memory.file());
    report.begin(sample_preamble(&options));
    report.add(sample_row(), false);
    report.end(0, 1.25, "unchecked", "");
    ASSERT_TRUE(report.finish());
    const Json json = Json::parse(memory.text());
    using Names = std::vector<std::string>;
    EXPECT_EQ(keys(json),
              (Names{"version", "start_time", "args", "env", "nccl_version", "config", "results",
                     "out_of_bounds", "average_bus_bandwidth", "errors", "end_time"}));
    EXPECT_EQ(json["version"], 3);
    EXPECT_EQ(
        keys(json["config"]),
        (Names{"nthreads", "ngpus", "minimum_bytes", "maximum_bytes", "step_bytes", "warmup_iters",
               "iterations", "aggregated_iterations", "validation", "graph", "blocking_collectives",
               "per_iter_timing", "per_iter_skip", "parallel_init", "devices", "percentiles"}));
    EXPECT_EQ(keys(json["config"]["devices"][0]),
              (Names{"rank", "group", "pid", "hostname", "device", "device_hex", "device_info"}));
    const Json& row = json["results"][0];
    EXPECT_EQ(keys(row), (Names{"size", "count", "type", "redop", "root", "out_of_place",
                                "in_place", "actual_iterations", "experiment_name"}));
    EXPECT_EQ(keys(row["out_of_place"]), (Names{"time", "alg_bw", "bus_bw", "nwrong"}));
    EXPECT_EQ(row["root"], "    -1");
    EXPECT_EQ(row["out_of_place"]["nwrong"], 0);
    EXPECT_TRUE(row["in_place"]["nwrong"].is_null());
    EXPECT_EQ(json["out_of_bounds"]["okay"], "true");
    EXPECT_EQ(json["average_bus_bandwidth"]["okay"], "unchecked");
    EXPECT_EQ(json["config"]["per_iter_timing"], "false");
    EXPECT_NE(memory.text().find(".\\/all_reduce_perf"), std::string::npos);
    EXPECT_NE(memory.text().find("\"bandwidth\": 1.250000"), std::string::npos);
}

TEST(JsonReport, SingleIterations) {
    Options options;
    options.sizes.factor = 2;
    options.per_iteration = true;
    Row row = sample_row();
    const double times[] = {1, 2, 3};
    row.out_of_place.iterations = IterationTimes{1, summarise(times), {1, 2, 3}, {{1, 2, 3}}};
    MemoryFile memory;
    JsonReport report(memory.file());
    report.begin(sample_preamble(&options));
    report.add(row, true);
    report.end(2, 1, "false", "it broke");
    ASSERT_TRUE(report.finish());
    const Json json = Json::parse(memory.text());
    EXPECT_TRUE(json["config"].contains("step_factor"));
    EXPECT_TRUE(json["results"][0]["out_of_place"].contains("cpu_time"));
    const Json& iterations = json["results"][0]["out_of_place_per_iter"];
    EXPECT_EQ(keys(iterations),
              (std::vector<std::string>{"skipped_iterations", "min_us", "max_us", "avg_us",
                                        "p50_us", "p95_us", "p99_us", "stdev_us", "cv_pct",
                                        "times_us", "per_process_max_times_us"}));
    EXPECT_EQ(iterations["times_us"].size(), 3u);
    EXPECT_EQ(json["errors"][0], "it broke");
    EXPECT_EQ(json["out_of_bounds"]["okay"], "false");
}

TEST(JsonReport, WhatIsOpenIsClosed) {
    const Options options;
    MemoryFile memory;
    {
        JsonReport report(memory.file());
        report.begin(sample_preamble(&options));
        report.add(sample_row(), false);
    }
    EXPECT_EQ(Json::parse(memory.text())["results"].size(), 1u);
}

TEST(JsonWriter, TextsAndNumbersThatNeedCare) {
    EXPECT_EQ(json_quoted("a/b\"c\\d\n\x01"), R"("a\/b\"c\\d\n\u0001")");
    MemoryFile memory;
    {
        JsonWriter writer(memory.file());
        writer.begin_object();
        writer.key("x");
        writer.real(std::nan(""));
        writer.key("y");
        writer.real(std::numeric_limits<double>::infinity());
        writer.key("open");
    }
    const Json json = Json::parse(memory.text());
    EXPECT_EQ(json["x"], "nan");
    EXPECT_EQ(json["y"], "inf");
    EXPECT_TRUE(json["open"].is_null());
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

TEST(Plot, ALineForEachSeriesAndAPointForEachRow) {
    std::vector<Row> rows;
    for (const char* type : {"float", "half"}) {
        for (std::size_t size = 8; size <= 1 << 20; size *= 4) {
            Row row = sample_row();
            row.size = size;
            row.type = type;
            row.out_of_place.time_us = static_cast<double>(size) / 100 + 5;
            row.out_of_place.bus_gbs = static_cast<double>(size) / row.out_of_place.time_us / 1e3;
            row.in_place = row.out_of_place;
            rows.push_back(row);
        }
    }
    const std::string svg = plot_svg({"all_reduce_perf <&> 2 ranks", "a host"}, rows);
    EXPECT_EQ(count(svg, "<polyline"), 2u * 2 * 2);  // types, placements, panels
    EXPECT_EQ(count(svg, "<circle"), 2 * 2 * rows.size());
    EXPECT_NE(svg.find("&lt;&amp;&gt;"), std::string::npos);
    EXPECT_NE(svg.find("prefers-color-scheme: dark"), std::string::npos);
    EXPECT_NE(svg.find("half sum, in place"), std::string::npos);
    EXPECT_NE(svg.find("32 KiB"), std::string::npos);
    EXPECT_EQ(count(svg, "<g "), count(svg, "</g>"));
    EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(Plot, DegenerateRunsStillDraw) {
    Row row = sample_row();
    row.out_of_place.bus_gbs = row.in_place.bus_gbs = 0;  // one rank
    for (const std::vector<Row>& rows :
         {std::vector<Row>{}, std::vector<Row>{row}, std::vector<Row>(40, row)}) {
        const std::string svg = plot_svg({"t", "s"}, rows);
        EXPECT_TRUE(svg.ends_with("</svg>\n"));
        EXPECT_EQ(svg.find("nan"), std::string::npos);
    }
    std::vector<Row> many;
    for (int root = 0; root < 20; ++root) {
        many.push_back(row);
        many.back().root = root;
    }
    EXPECT_NE(plot_svg({"t", "s"}, many).find("and 28 more"), std::string::npos);
}

TEST(LogAxis, SpansItsValuesWithRoundEnds) {
    const LogAxis bytes(8, 1 << 20, 2);
    EXPECT_DOUBLE_EQ(bytes.first(), 8);
    EXPECT_DOUBLE_EQ(bytes.last(), 1 << 20);
    EXPECT_DOUBLE_EQ(bytes.place(8), 0);
    EXPECT_DOUBLE_EQ(bytes.place(1 << 20), 1);
    const LogAxis decades(0.013, 7.2, 10);
    EXPECT_DOUBLE_EQ(decades.first(), 0.01);
    EXPECT_DOUBLE_EQ(decades.last(), 10);
    EXPECT_LE(decades.ticks(5).size(), 5u);
    for (const double tick : decades.ticks(20)) {
        EXPECT_GE(decades.place(tick), 0);
        EXPECT_LE(decades.place(tick), 1 + 1e-9);
    }
    EXPECT_EQ(size_label(1536), "1.5 KiB");
    EXPECT_EQ(time_label(2500), "2.5 ms");
    EXPECT_EQ(time_label(3e6), "3 s");
}

}  // namespace
}  // namespace xccl::perf
