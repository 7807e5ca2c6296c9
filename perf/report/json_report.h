// The report of -J, with the keys of nccl-tests in its order; what is ours stands at the end of
// each object.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "options/options.h"
#include "report/json_writer.h"
#include "report/row.h"

namespace xccl::perf {

// A rank, as the list of devices shows it.
struct DeviceLine {
    int rank = 0;
    int group = 0;
    int process_id = 0;
    std::string host;
    int device = 0;
    std::string description;
};

struct JsonPreamble {
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // what may be shown
    int xccl_version = 0;
    const Options* options = nullptr;
    std::vector<DeviceLine> devices;
    std::string start_time;
};

class JsonReport {
  public:
    explicit JsonReport(std::FILE* file) : writer_(file) {}

    void begin(const JsonPreamble& preamble);
    void add(const Row& row, bool cpu_time);
    // `bandwidth_verdict`: "true", "false" or "unchecked".
    void end(long failed_checks, double average_gbs, std::string_view bandwidth_verdict,
             std::string_view error);
    bool finish() { return writer_.finish(); }

  private:
    void add_measurement(std::string_view key, const Measurement& m, bool cpu_time);
    void add_iterations(std::string_view key, const IterationTimes& iterations);
    void add_config(const JsonPreamble& preamble);
    void add_device(const DeviceLine& device);
    void pair(std::string_view key, std::string_view value);
    void pair(std::string_view key, long long value);
    void pair(std::string_view key, double value);
    void flag(std::string_view key, bool value);

    JsonWriter writer_;
};

// "2026-07-09 12:00:00", local time.
std::string time_text();

}  // namespace xccl::perf
