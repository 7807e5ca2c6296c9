// What process 0 tells: the head of the table, rows as they come, and the end; on standard output,
// as JSON, and as a picture.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/json_report.h"
#include "report/row.h"
#include "report/table.h"
#include "run/session.h"

namespace xccl::perf {

// Files that a run will write. Opened before anything else is done, so that a path that cannot be
// written ends the run before it has cost anything.
class ReportFiles {
  public:
    explicit ReportFiles(const Options& options);
    ~ReportFiles();
    ReportFiles(const ReportFiles&) = delete;
    ReportFiles& operator=(const ReportFiles&) = delete;
    ReportFiles(ReportFiles&&) = delete;
    ReportFiles& operator=(ReportFiles&&) = delete;

    std::FILE* take_json();  // the reader closes it
    const std::string& json_path() const { return json_path_; }
    // Writes the picture; throws Failure if it cannot.
    void write_plot(const std::string& svg);

  private:
    std::FILE* json_ = nullptr;
    std::string json_path_;
    std::FILE* plot_ = nullptr;
    std::string plot_path_;
};

class Reporter {
  public:
    Reporter(Session* session, ReportFiles* files);

    void print_head(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment);
    void add(const Row& row);
    void print_traffic(const Traffic& traffic, const Row& row);
    // Returns the exit code that the results deserve.
    ExitCode print_end(long failed_checks);
    // Closes the reports of a run that was stopped.
    void close(const std::string& error);

  private:
    double average_gbs() const;
    void print_devices() const;
    void print_memory() const;
    void print(const std::string& text) const;

    Session* session_;
    ReportFiles* files_;
    TableStyle style_;
    std::optional<JsonReport> json_;
    std::vector<Row> rows_;  // for the picture
    double sum_gbs_ = 0;
    long halves_ = 0;
};

// "0.00 B", "12.3 MB": three figures, binary units.
std::string memory_text(double bytes);

// The lines of the head that say how a run is measured.
std::string run_lines(const Options& options);

}  // namespace xccl::perf
