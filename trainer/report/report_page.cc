#include "report/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "report/metrics.h"
#include "report/page_style.h"
#include "report/svg_chart.h"
#include "report/time_shares.h"

namespace xccl::trainer {
namespace {

constexpr double kWideChart = 1010;  // as wide as the page, where the window is

struct LegendEntry {
    std::string name;
    int colour;
};

std::string legend(const std::vector<LegendEntry>& entries) {
    std::string html = "<ul class=\"legend\">";
    for (const LegendEntry& entry : entries) {
        html += fmt::format("<li class=\"series-{}\"><i></i><em>{}</em></li>", entry.colour,
                            escaped(entry.name));
    }
    return html + "</ul>";
}

std::string section(const char* title, const std::string& body, bool wide = false) {
    return fmt::format("<section{}><h2>{}</h2>{}</section>\n", wide ? " class=\"wide\"" : "",
                       escaped(title), body);
}

std::string tile(const std::string& value, const std::string& label) {
    return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>", escaped(value),
                       escaped(label));
}

// A centred mean over about a fortieth of the curve: the trend under the noise of single batches.
std::vector<ChartPoint> smoothed(const std::vector<ChartPoint>& points) {
    const std::ptrdiff_t reach = static_cast<std::ptrdiff_t>(points.size() / 80);
    const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(points.size());
    std::vector<ChartPoint> mean = points;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        const std::ptrdiff_t room = std::min({reach, i, count - 1 - i});
        double sum = 0;
        for (std::ptrdiff_t j = i - room; j <= i + room; ++j) {
            sum += points[static_cast<std::size_t>(j)].y;
        }
        mean[static_cast<std::size_t>(i)].y = sum / static_cast<double>(2 * room + 1);
    }
    return mean;
}

template <typename Value>
std::vector<ChartPoint> curve(const RunSummary& run, const Value& value) {
    std::vector<ChartPoint> points;
    for (const StepRecord& record : run.history) {
        points.push_back({static_cast<double>(record.step + 1), value(record)});
    }
    return points;
}

std::string loss_section(const RunSummary& run) {
    const std::vector<ChartPoint> raw = curve(run, [](const StepRecord& r) { return r.loss; });
    Chart chart{.title = "Loss over steps",
                .x_label = "step",
                .y_label = "nats per byte",
                .width = kWideChart,
                .series = {}};
    chart.series.push_back({"training", 1, SeriesStyle::kFaintLine, raw});
    chart.series.push_back({"training, smoothed", 1, SeriesStyle::kLine, smoothed(raw)});
    Series held_out{"held out", 2, SeriesStyle::kDots, {}};
    for (const Evaluation& evaluation : run.evaluations) {
        held_out.points.push_back({static_cast<double>(evaluation.step), evaluation.loss});
    }
    chart.series.push_back(held_out);
    return section("Loss", legend({{"training", 1}, {"held out", 2}}) + line_chart(chart), true);
}

std::string throughput_section(const RunSummary& run) {
    const std::vector<ChartPoint> raw = curve(run, [](const StepRecord& r) {
        return static_cast<double>(r.tokens) / std::max(r.times.total(), 1e-9);
    });
    Chart chart{.title = "Throughput over steps",
                .x_label = "step",
                .y_label = "",
                .from_zero = true,
                .series = {}};
    chart.series.push_back({"tokens per second", 3, SeriesStyle::kFaintLine, raw});
    chart.series.push_back({"smoothed", 3, SeriesStyle::kLine, smoothed(raw)});
    return section("Throughput", legend({{"tokens per second, all ranks", 3}}) + line_chart(chart));
}

std::string optimizer_section(const RunSummary& run) {
    Chart rate{.title = "Learning rate over steps",
               .x_label = "step",
               .y_label = "",
               .from_zero = true,
               .series = {}};
    rate.series.push_back({"learning rate", 4, SeriesStyle::kLine,
                           curve(run, [](const StepRecord& r) { return r.learning_rate; })});
    Chart norm{.title = "Norm of the gradient over steps",
               .x_label = "step",
               .y_label = "",
               .from_zero = true,
               .series = {}};
    const auto raw = curve(run, [](const StepRecord& r) { return r.gradient_norm; });
    norm.series.push_back({"norm", 6, SeriesStyle::kFaintLine, raw});
    norm.series.push_back({"norm, smoothed", 6, SeriesStyle::kLine, smoothed(raw)});
    return section("Learning rate", line_chart(rate)) +
           section("Norm of the gradient, before clipping", line_chart(norm));
}

std::string time_legend(const StepTimes& times) {
    std::vector<LegendEntry> entries;
    entries.reserve(std::size(kTimeShares));
    for (const TimeShare& share : kTimeShares) {
        entries.push_back(
            {fmt::format("{} {:.1f} %", share.name, 100 * share_of(times.*share.seconds, times)),
             share.colour});
    }
    return legend(entries);
}

std::string time_sections(const RunSummary& run) {
    std::vector<Bar> bars;
    for (std::size_t rank = 0; rank < run.rank_times.size(); ++rank) {
        Bar bar{fmt::format("rank {}", rank), {}};
        for (const TimeShare& share : kTimeShares) {
            bar.parts.push_back({share.name, share.colour, run.rank_times[rank].*share.seconds});
        }
        bars.push_back(bar);
    }
    Chart chart{.title = "Shares of time over steps",
                .x_label = "step",
                .y_label = "",
                .percent = true,
                .series = {}};
    for (const TimeShare& share : kTimeShares) {
        chart.series.push_back({share.name, share.colour, SeriesStyle::kLine,
                                curve(run, [&share](const StepRecord& r) {
                                    return share_of(r.times.*share.seconds, r.times);
                                })});
    }
    return section("Where the time went, by rank",
                   time_legend(run.times()) + stacked_bars("Time of each rank", kWideChart, bars),
                   true) +
           section("Where the time went, by step", time_legend(run.times()) + share_chart(chart));
}

std::string table(const std::vector<std::pair<std::string, std::string>>& rows) {
    std::string html = "<dl>";
    for (const auto& [name, value] : rows) {
        html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value));
    }
    return html + "</dl>";
}

std::string tiles(const RunSummary& run) {
    std::string html = "<div class=\"tiles\">";
    if (!run.evaluations.empty()) {
        const double before = run.evaluations.front().loss, after = run.evaluations.back().loss;
        html += tile(fmt::format("{:.3f} → {:.3f}", before, after), "held-out loss, nats per byte");
        html += tile(fmt::format("{:.3f}", bits_per_byte(after)), "held-out bits per byte");
    }
    html += tile(grouped(run.tokens_per_second()), "tokens per second");
    html += tile(clock_text(run.seconds),
                 fmt::format("training, {} steps", grouped(static_cast<double>(run.steps))));
    const StepTimes times = run.times();
    html += tile(fmt::format("{:.1f} %", 100 * share_of(times.exposed_communication, times)),
                 "exposed communication");
    html += tile(fmt::format("{} × {}", run.rank_count, run.thread_count), "ranks × threads");
    return html + "</div>\n";
}

std::string settings_section(const RunSummary& run) {
    std::vector<std::pair<std::string, std::string>> rows = {
        {"parameters", grouped(static_cast<double>(run.parameter_count))},
        {"tokens seen", grouped(static_cast<double>(run.tokens))},
        {"speed",
         fmt::format("{:.1f} GFLOP/s", run.flops_per_token * run.tokens_per_second() * 1e-9)},
        {"instruction set", run.instruction_set},
        {"launcher", run.launcher},
        {"parameter checksum", run.parameter_checksum},
    };
    rows.insert(rows.end(), run.settings.begin(), run.settings.end());
    return section("Run", table(rows), true);
}

}  // namespace

std::string report_page(const RunSummary& run) {
    std::string body;
    body += loss_section(run);
    if (!run.sample.empty()) {
        body += section("What it writes",
                        fmt::format("<pre><span class=\"prompt\">{}</span>{}</pre>",
                                    escaped(run.prompt), escaped(run.sample)),
                        true);
    }
    body += time_sections(run);
    body += throughput_section(run);
    body += optimizer_section(run);
    body += settings_section(run);
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head>"
        "<meta charset=\"utf-8\"/>"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
        "<title>xccl-train report</title><style>{}</style></head>\n<body><main>"
        "<h1>Training report</h1><p class=\"subtitle\">{}</p>\n{}<div class=\"charts\">\n{}</div>"
        "</main></body></html>\n",
        kPageStyle,
        escaped(fmt::format("GPT-2, {} parameters, {} on {}{}",
                            grouped(static_cast<double>(run.parameter_count)), run.date,
                            run.machine, run.interrupted ? "; interrupted before its end" : "")),
        tiles(run), body);
}

}  // namespace xccl::trainer
