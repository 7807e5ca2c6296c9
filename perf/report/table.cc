#include "report/table.h"

#include <fmt/format.h>

namespace xccl::perf {
namespace {

constexpr int kTimeWidth = 7;
constexpr int kBandwidthWidth = 6;

// The extra columns of one placement: three lines of titles, then the values.
struct ExtraColumns {
    bool per_iteration;
    bool percentiles;

    std::string title() const {
        std::string text;
        if (per_iteration) {
            text += fmt::format("  {:>7}  {:>7}  {:>7}  {:>7}", "i_min", "i_max", "i_p99", "i_cv%");
        }
        if (percentiles) text += fmt::format("  {:>7}  {:>7}", "p50", "p99");
        return text;
    }
    std::string units() const {
        std::string text;
        if (per_iteration) {
            text += fmt::format("  {:>7}  {:>7}  {:>7}  {:>7}", "(us)", "(us)", "(us)", "(%)");
        }
        if (percentiles) text += fmt::format("  {:>7}  {:>7}", "(us)", "(us)");
        return text;
    }
    std::string values(const Measurement& m) const {
        if (!m.iterations) return {};
        const Summary& s = m.iterations->summary_us;
        const auto column = [](double value) {
            return fmt::format("  {:>7}", fitted(value, kTimeWidth));
        };
        std::string text;
        if (per_iteration) {
            text += column(s.min) + column(s.max) + column(s.p99) + column(s.variation_percent());
        }
        if (percentiles) text += column(s.p50) + column(s.p99);
        return text;
    }
};

ExtraColumns extra(const TableStyle& style) {
    return {style.per_iteration, style.percentiles};
}

std::string measurement_columns(const TableStyle& style, const Measurement& m) {
    std::string text =
        fmt::format("  {:>7}  {:>6}  {:>6}", fitted(m.time_us, kTimeWidth),
                    fitted(m.algorithm_gbs, kBandwidthWidth), fitted(m.bus_gbs, kBandwidthWidth));
    if (m.wrong) {
        text += fmt::format("  {:>6g}", static_cast<double>(*m.wrong));
    } else {
        text += "    N/A";
    }
    return text + extra(style).values(m);
}

}  // namespace

std::string fitted(double value, int width) {
    const auto room = static_cast<std::size_t>(width);
    for (const int decimals : {2, 1, 0}) {
        std::string text = fmt::format("{:.{}f}", value, decimals);
        if (text.size() <= room) return text;
    }
    return width >= 7 ? fmt::format("{:.1e}", value) : fmt::format("{:.0e}", value);
}

std::string table_titles(const TableStyle& style) {
    const std::string iterations = style.per_iteration ? " (+ per-iteration)" : "";
    const std::string columns =
        fmt::format("  {:>7}  {:>6}  {:>6}  {:>6}", style.cpu_time ? "cputime" : "time", "algbw",
                    "busbw", "#wrong") +
        extra(style).title();
    const std::string units =
        fmt::format("  {:>7}  {:>6}  {:>6}  {:>6}", "(us)", "(GB/s)", "(GB/s)", "") +
        extra(style).units();
    std::string text = fmt::format("# {:>10}  {:>12}  {:>8}  {:>6}  {:>6}           {}", "", "", "",
                                   "", "", "out-of-place" + iterations);
    text += fmt::format("                       {}          \n", "in-place" + iterations);
    text += fmt::format("# {:>10}  {:>12}  {:>8}  {:>6}  {:>6}{}{} \n", "size", "count", "type",
                        "redop", "root", columns, columns);
    text += fmt::format("# {:>10}  {:>12}  {:>8}  {:>6}  {:>6}{}{} \n", "(B)", "(elements)", "", "",
                        "", units, units);
    return text;
}

std::string table_row(const TableStyle& style, const Row& row) {
    std::string text = fmt::format("{:>12}  {:>12}  {:>8}  {:>6}  {:>6}", row.size, row.count,
                                   row.type, row.op, row.root);
    text += measurement_columns(style, row.out_of_place);
    text += measurement_columns(style, row.in_place);
    if (style.timestamps) text += fmt::format("{:>21}", row.timestamp);
    return text + "\n";
}

std::string bounds_line(long failed_checks) {
    return fmt::format("# {:<20} : {} {}\n", "Out of bounds values", failed_checks,
                       failed_checks == 0 ? "OK" : "FAILED");
}

std::string bandwidth_line(double average_gbs, std::string_view verdict) {
    return fmt::format("# {:<20} : {:g} {}\n", "Avg bus bandwidth", average_gbs, verdict);
}

}  // namespace xccl::perf
