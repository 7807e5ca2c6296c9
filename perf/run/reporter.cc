#include "run/reporter.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "report/plot.h"
#include "run/host.h"
#include "run/library_call.h"

namespace xccl::perf {
namespace {

constexpr std::size_t kMostDeviceBytes = 2048;  // of a process's lines
constexpr int kMostJsonNames = 10000;

[[noreturn]] void refuse_path(std::string_view what, const std::string& path) {
    throw Failure(ExitCode::kInvalidUsage,
                  fmt::format("cannot write the {} to '{}': {}", what, path, std::strerror(errno)));
}

// A new file; name.json.0, .1 and so on where there are such files.
std::FILE* open_new(std::string* path) {
    const std::string wanted = *path;
    for (int i = 0; i < kMostJsonNames; ++i) {
        if (std::FILE* file = std::fopen(path->c_str(), "wx")) return file;
        if (errno != EEXIST) break;
        *path = fmt::format("{}.{}", wanted, i);
    }
    refuse_path("JSON output", *path);
}

const char* blocking_line(Blocking blocking) {
    switch (blocking) {
        case Blocking::kWaitAndBarrier:
            return "# Blocking Enabled: wait and barrier after each inner iteration (-m) \n";
        case Blocking::kWait:
            return "# Blocking Enabled: wait after each inner iteration (-m), no barrier \n";
        case Blocking::kOuterBarrierUntimed:
            return "# Blocking Enabled: wait and barrier after each outer iteration (-n); time "
                   "excludes barrier \n";
        default:
            return "";
    }
}

// What of the command line means less on host memory than elsewhere.
std::string host_memory_lines(const Session& session) {
    const Options& o = *session.options;
    std::string text;
    if (o.local_register == 2) {
        text += "# Symmetric windows (-R 2) are for accelerators: buffers are registered (-R 1) \n";
    }
    if (o.cta_policy >= 0) text += "# CTA policy (-x) is for accelerators: nothing changes \n";
    if (o.replays > 0) {
        text +=
            "# Graphs (-G) are for accelerators: the iterations are queued on a host stream "
            "that many times \n";
    }
    if (session.collective->in_place == InPlace::kNone) {
        text += fmt::format("# {} has no in-place form: these columns repeat it out of place \n",
                            session.collective->name);
    }
    return text;
}

}  // namespace

ReportFiles::ReportFiles(const Options& options)
    : json_path_(options.json_path), plot_path_(options.plot_path) {
    if (!plot_path_.empty()) {
        plot_ = std::fopen(plot_path_.c_str(), "a");  // what is there stays until the end
        if (plot_ == nullptr) refuse_path("plot", plot_path_);
    }
    if (!json_path_.empty()) json_ = open_new(&json_path_);
}

ReportFiles::~ReportFiles() {
    if (json_ != nullptr) {  // nothing came to be written
        std::fclose(json_);
        std::remove(json_path_.c_str());
    }
    if (plot_ != nullptr) {  // never written
        const bool is_empty = std::fseek(plot_, 0, SEEK_END) == 0 && std::ftell(plot_) == 0;
        std::fclose(plot_);
        if (is_empty) std::remove(plot_path_.c_str());
    }
}

std::FILE* ReportFiles::take_json() {
    return std::exchange(json_, nullptr);
}

void ReportFiles::write_plot(const std::string& svg) {
    if (plot_ == nullptr) return;
    std::FILE* const file = std::freopen(plot_path_.c_str(), "w", plot_);
    plot_ = nullptr;
    if (file == nullptr) refuse_path("plot", plot_path_);
    const bool written = std::fputs(svg.c_str(), file) >= 0;
    if (std::fclose(file) != 0 || !written) refuse_path("plot", plot_path_);
}

std::string memory_text(double bytes) {
    constexpr std::array<const char*, 4> kUnits = {"B", "KB", "MB", "GB"};
    std::size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < kUnits.size()) {
        bytes /= 1024;
        ++unit;
    }
    const int decimals = bytes < 10 ? 2 : bytes < 100 ? 1 : 0;
    return fmt::format("{:.{}f} {}", bytes, decimals, kUnits[unit]);
}

std::string run_lines(const Options& o) {
    std::string text = fmt::format(
        "# nThread {} nGpus {} minBytes {} maxBytes {} step: {}({}) warmup iters: {} iters: {} agg "
        "iters: {} validation: {} graph: {} unalign: {}\n",
        o.threads, o.ranks_per_thread, o.sizes.first_bytes, o.sizes.last_bytes,
        o.sizes.multiplies() ? o.sizes.factor : o.sizes.step_bytes,
        o.sizes.multiplies() ? "factor" : "bytes", o.warmup, o.iterations, o.aggregated, o.checks,
        o.replays, o.unalign);
    text += blocking_line(o.blocking);
    if (o.times_iterations()) {
        text += "# Per-Iteration Report: host timing; i_* uses max over process rows";
        if (o.skipped_iterations > 0) {
            text += fmt::format("; summary skips first {} iterations", o.skipped_iterations);
        }
        text += " \n";
    }
    if (o.parallel_init) {
        text += "# Parallel Init Enabled: threads call into NcclInitRank concurrently \n";
    }
    return text;
}

Reporter::Reporter(Session* session, ReportFiles* files)
    : session_(session),
      files_(files),
      style_{session->options->report_cpu_time, session->options->per_iteration,
             session->options->percentiles, session->options->timestamps} {}

void Reporter::print(const std::string& text) const {
    session_->progress->clear();
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

void Reporter::print_devices() const {
    std::string text = "# Using devices\n";
    std::size_t of_process = 0;
    int process_id = -1;
    for (const DeviceLine& d : session_->devices) {
        if (d.process_id != process_id) of_process = 0;
        process_id = d.process_id;
        const std::string line = fmt::format(
            "#  Rank {:>2} Group {:>2} Pid {:>6} on {:>10} device {:>2} [0000:00:00] {}\n", d.rank,
            d.group, d.process_id, d.host, d.device, d.description);
        const bool fitted_before = of_process <= kMostDeviceBytes;
        of_process += line.size();
        if (of_process <= kMostDeviceBytes) {
            text += line;
        } else if (fitted_before) {
            text += "#  ...\n";
        }
    }
    print(text + "#\n");
}

void Reporter::print_head(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment) {
    int version = 0;
    require(xcclGetVersion(&version));
    print(
        fmt::format("# xccl-tests version {}.{}.{} xccl-headers={} xccl-library={}\n"
                    "# Collective test starting: {}_perf\n",
                    XCCL_MAJOR, XCCL_MINOR, XCCL_PATCH, XCCL_VERSION_CODE, version,
                    session_->collective->name));
    print(run_lines(*session_->options) + host_memory_lines(*session_) + "#\n");
    print_devices();
    if (session_->sizes.last_bytes != session_->options->sizes.last_bytes) {
        print(fmt::format("#\n# Reducing maxBytes to {} due to memory limitation\n",
                          session_->sizes.last_bytes));
    }
    std::FILE* const file = files_->take_json();
    if (file != nullptr) {
        print(fmt::format("# Writing JSON output to {}\n", files_->json_path()));
        json_.emplace(file);
        json_->begin(
            {arguments, environment, version, session_->options, session_->devices, time_text()});
    }
    print(table_titles(style_));
}

void Reporter::add(const Row& row) {
    print(table_row(style_, row));
    if (json_) json_->add(row, style_.cpu_time);
    sum_gbs_ += row.out_of_place.bus_gbs + row.in_place.bus_gbs;
    halves_ += 2;
    if (!session_->options->plot_path.empty()) rows_.push_back(row);
}

void Reporter::print_traffic(const Traffic& traffic, const Row& row) {
    const std::size_t type_bytes =
        row.count == 0 || traffic.busiest() == 0 ? 0 : row.size / traffic.busiest();
    for (int rank = 0; rank < traffic.rank_count(); ++rank) {
        const std::size_t sent = traffic.sent_by(rank) * type_bytes;
        const std::size_t received = traffic.received_by(rank) * type_bytes;
        const double gbs =
            row.out_of_place.time_us > 0
                ? static_cast<double>(std::max(sent, received)) / 1e3 / row.out_of_place.time_us
                : 0;
        print(fmt::format("# rank {} send_bytes {} recv_bytes {} alg_bw {:.2f} bus_bw {:.2f}\n",
                          rank, sent, received, gbs,
                          gbs * session_->collective->bus_factor(traffic.rank_count())));
    }
}

double Reporter::average_gbs() const {
    return halves_ == 0 ? 0 : sum_gbs_ / static_cast<double>(halves_);
}

void Reporter::print_memory() const {
    std::size_t allocated = 0;
    for (const Seat& seat : session_->seats) {
        if (seat.buffers) allocated += 2 * seat.buffers->memory_bytes();
    }
    const auto grown = [](std::size_t from, std::size_t to) {
        return static_cast<double>(to > from ? to - from : 0);
    };
    const double init = grown(session_->memory_before_init, session_->memory_after_init);
    const double total = grown(session_->memory_before_init, resident_memory());
    const double buffers = static_cast<double>(allocated);
    const double rest = std::max(total - init - buffers, 0.0);
    print(
        fmt::format("# GPU memory usage     : Initialization {} | User-Allocated {} | Collective "
                    "{} | Total  {}\n",
                    memory_text(init), memory_text(buffers), memory_text(rest),
                    memory_text(init + buffers + rest)));
}

ExitCode Reporter::print_end(long failed_checks) {
    const double least = session_->environment->least_bandwidth;
    const bool is_fast = average_gbs() >= 0.9 * least;
    const char* verdict = least <= 0 ? "" : is_fast ? "OK" : "FAILED";
    const char* json_verdict = least <= 0 ? "unchecked" : is_fast ? "true" : "false";
    const std::string error = xcclGetLastError(nullptr);
    print(bounds_line(failed_checks) + bandwidth_line(average_gbs(), verdict) + "#\n");
    print(fmt::format("# Collective test concluded: {}_perf\n", session_->collective->name));
    if (session_->options->memory_report) print_memory();
    print(error.empty() ? std::string("#\n\n") : fmt::format("#\n# error: {}\n", error));
    if (json_) {
        json_->end(failed_checks, average_gbs(), json_verdict, error);
        if (!json_->finish()) refuse_path("JSON output", files_->json_path());
    }
    if (!session_->options->plot_path.empty()) {
        files_->write_plot(
            plot_svg({fmt::format("{}_perf, {} ranks", session_->collective->name,
                                  session_->group.rank_count),
                      fmt::format("{}, {}, {}", host_name(), processor_name(), time_text())},
                     rows_));
    }
    return failed_checks > 0 || !is_fast ? ExitCode::kWrongResult : ExitCode::kOk;
}

void Reporter::close(const std::string& error) {
    if (json_) {
        json_->end(0, average_gbs(), "unchecked", error);
        json_->finish();
    }
}

}  // namespace xccl::perf
