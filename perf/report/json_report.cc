#include "report/json_report.h"

#include <fmt/format.h>

#include <ctime>

namespace xccl::perf {
namespace {

constexpr int kFormatVersion = 3;

}  // namespace

std::string time_text() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    return text;
}

void JsonReport::pair(std::string_view key, std::string_view value) {
    writer_.key(key);
    writer_.text(value);
}
void JsonReport::pair(std::string_view key, long long value) {
    writer_.key(key);
    writer_.whole(value);
}
void JsonReport::pair(std::string_view key, double value) {
    writer_.key(key);
    writer_.real(value);
}
void JsonReport::flag(std::string_view key, bool value) {
    pair(key, std::string_view(value ? "true" : "false"));
}

void JsonReport::add_device(const DeviceLine& device) {
    writer_.begin_object();
    pair("rank", static_cast<long long>(device.rank));
    pair("group", static_cast<long long>(device.group));
    pair("pid", static_cast<long long>(device.process_id));
    pair("hostname", std::string_view(device.host));
    pair("device", static_cast<long long>(device.device));
    pair("device_hex", std::string_view("0000:00:00"));
    pair("device_info", std::string_view(device.description));
    writer_.end_object();
}

void JsonReport::add_config(const JsonPreamble& preamble) {
    const Options& o = *preamble.options;
    writer_.key("config");
    writer_.begin_object();
    pair("nthreads", static_cast<long long>(o.threads));
    pair("ngpus", static_cast<long long>(o.ranks_per_thread));
    pair("minimum_bytes", static_cast<long long>(o.sizes.first_bytes));
    pair("maximum_bytes", static_cast<long long>(o.sizes.last_bytes));
    if (o.sizes.multiplies()) {
        pair("step_factor", static_cast<long long>(o.sizes.factor));
    } else {
        pair("step_bytes", static_cast<long long>(o.sizes.step_bytes));
    }
    pair("warmup_iters", static_cast<long long>(o.warmup));
    pair("iterations", static_cast<long long>(o.iterations));
    pair("aggregated_iterations", static_cast<long long>(o.aggregated));
    pair("validation", static_cast<long long>(o.checks));
    pair("graph", static_cast<long long>(o.replays));
    pair("blocking_collectives", static_cast<long long>(o.blocking));
    flag("per_iter_timing", o.per_iteration);
    pair("per_iter_skip", static_cast<long long>(o.skipped_iterations));
    flag("parallel_init", o.parallel_init);
    writer_.key("devices");
    writer_.begin_list();
    for (const DeviceLine& device : preamble.devices) add_device(device);
    writer_.end_list();
    flag("percentiles", o.percentiles);
    writer_.end_object();
}

void JsonReport::begin(const JsonPreamble& preamble) {
    writer_.begin_object();
    pair("version", static_cast<long long>(kFormatVersion));
    pair("start_time", std::string_view(preamble.start_time));
    writer_.key("args");
    writer_.begin_list();
    for (const std::string& argument : preamble.arguments) writer_.text(argument);
    writer_.end_list();
    writer_.key("env");
    writer_.begin_list();
    for (const std::string& entry : preamble.environment) writer_.text(entry);
    writer_.end_list();
    pair("nccl_version", static_cast<long long>(preamble.xccl_version));
    add_config(preamble);
    writer_.key("results");
    writer_.begin_list();
}

void JsonReport::add_measurement(std::string_view key, const Measurement& m, bool cpu_time) {
    writer_.key(key);
    writer_.begin_object();
    pair(cpu_time ? "cpu_time" : "time", m.time_us);
    pair("alg_bw", m.algorithm_gbs);
    pair("bus_bw", m.bus_gbs);
    writer_.key("nwrong");
    if (m.wrong) {
        writer_.whole(*m.wrong);
    } else {
        writer_.null();
    }
    writer_.end_object();
    if (m.iterations) add_iterations(fmt::format("{}_per_iter", key), *m.iterations);
}

void JsonReport::add_iterations(std::string_view key, const IterationTimes& iterations) {
    const Summary& s = iterations.summary_us;
    writer_.key(key);
    writer_.begin_object();
    pair("skipped_iterations", static_cast<long long>(iterations.skipped));
    pair("min_us", s.min);
    pair("max_us", s.max);
    pair("avg_us", s.mean);
    pair("p50_us", s.p50);
    pair("p95_us", s.p95);
    pair("p99_us", s.p99);
    pair("stdev_us", s.deviation);
    pair("cv_pct", s.variation_percent());
    writer_.key("times_us");
    writer_.begin_list();
    for (const double time : iterations.times_us) writer_.real(time);
    writer_.end_list();
    if (!iterations.per_process_us.empty()) {
        writer_.key("per_process_max_times_us");
        writer_.begin_list();
        for (const std::vector<double>& times : iterations.per_process_us) {
            writer_.begin_list();
            for (const double time : times) writer_.real(time);
            writer_.end_list();
        }
        writer_.end_list();
    }
    writer_.end_object();
}

void JsonReport::add(const Row& row, bool cpu_time) {
    writer_.begin_object();
    pair("size", static_cast<long long>(row.size));
    pair("count", static_cast<long long>(row.count));
    pair("type", std::string_view(row.type));
    pair("redop", std::string_view(row.op));
    pair("root", std::string_view(fmt::format("{:>6}", row.root)));
    add_measurement("out_of_place", row.out_of_place, cpu_time);
    add_measurement("in_place", row.in_place, cpu_time);
    pair("actual_iterations", static_cast<long long>(row.iterations));
    pair("experiment_name", std::string_view(""));
    writer_.end_object();
}

void JsonReport::end(long failed_checks, double average_gbs, std::string_view bandwidth_verdict,
                     std::string_view error) {
    writer_.end_list();
    writer_.key("out_of_bounds");
    writer_.begin_object();
    pair("count", static_cast<long long>(failed_checks));
    flag("okay", failed_checks == 0);
    writer_.end_object();
    writer_.key("average_bus_bandwidth");
    writer_.begin_object();
    pair("bandwidth", average_gbs);
    pair("okay", bandwidth_verdict);
    writer_.end_object();
    writer_.key("errors");
    writer_.begin_list();
    writer_.text(error);
    writer_.end_list();
    pair("end_time", std::string_view(time_text()));
    writer_.end_object();
}

}  // namespace xccl::perf
