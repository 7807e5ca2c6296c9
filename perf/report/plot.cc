#include "report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "report/axis.h"

namespace xccl::perf {
namespace {

// Pixels.
constexpr double kPanelLeft = 76;
constexpr double kPanelWidth = 560;
constexpr double kPanelHeight = 260;
constexpr double kPanelDistance = 330;
constexpr double kTop = 74;
constexpr double kLegendLineHeight = 18;
constexpr double kImageWidth = kPanelLeft + kPanelWidth + 24;

constexpr std::size_t kMostLegendLines = 12;
constexpr std::size_t kColors = 8;

// Text and grid follow the reader's color scheme; the lines' colors are told apart on both grounds,
// and by people who see few colors (after Okabe and Ito).
constexpr const char* kStyle = R"(<style>
  svg { background: #ffffff; color: #1c1c1c; font: 12px system-ui, sans-serif; }
  text { fill: currentColor; }
  .heading { font-size: 16px; font-weight: 600; }
  .quiet { opacity: 0.75; }
  .grid { stroke: currentColor; stroke-opacity: 0.15; }
  .frame { stroke: currentColor; stroke-opacity: 0.5; fill: none; }
  .line { fill: none; stroke-width: 2; stroke: currentColor; }
  .dashed { stroke-dasharray: 6 4; }
  .point { fill: currentColor; }
  .c0 { color: #0072b2; } .c1 { color: #d55e00; } .c2 { color: #009e73; } .c3 { color: #b3589a; }
  .c4 { color: #a87a00; } .c5 { color: #3d8fc4; } .c6 { color: #7a5cc2; } .c7 { color: #8a6a4f; }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181c; color: #e6e6e6; }
    .c0 { color: #56b4e9; } .c1 { color: #f28e4b; } .c2 { color: #3ecf9f; } .c3 { color: #e08ac6; }
    .c4 { color: #e8c44a; } .c5 { color: #8cc8f0; } .c6 { color: #b39ce8; } .c7 { color: #c9a98c; }
  }
</style>
)";

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '&') {
            result += "&amp;";
        } else if (c == '<') {
            result += "&lt;";
        } else if (c == '>') {
            result += "&gt;";
        } else if (c == '"') {
            result += "&quot;";
        } else if (static_cast<unsigned char>(c) >= 0x20) {
            result += c;
        }
    }
    return result;
}

// One line of both panels: the rows of one type, operator and root, in one placement.
struct Series {
    std::string name;
    bool in_place;
    std::size_t color;
    std::vector<const Row*> rows;

    const Measurement& at(std::size_t i) const {
        return in_place ? rows[i]->in_place : rows[i]->out_of_place;
    }
};

std::string name_of(const Row& row) {
    std::string name = row.type;
    if (row.op != "none") name += " " + row.op;
    if (row.root >= 0) name += fmt::format(" root {}", row.root);
    return name;
}

std::vector<Series> series_of(const std::vector<Row>& rows) {
    std::vector<Series> all;
    for (const Row& row : rows) {
        if (row.size == 0) continue;
        const std::string name = name_of(row);
        auto found =
            std::find_if(all.begin(), all.end(), [&](const Series& s) { return s.name == name; });
        if (found == all.end()) {
            const std::size_t color = all.size() / 2 % kColors;
            all.push_back({name, false, color, {}});
            all.push_back({name, true, color, {}});
            found = all.end() - 2;
        }
        found[0].rows.push_back(&row);
        found[1].rows.push_back(&row);
    }
    return all;
}

using ValueOf = std::function<double(const Measurement&)>;
using Label = std::string (*)(double);

struct Panel {
    std::string title;
    double top;
    ValueOf value;
    Label label;
};

struct Range {
    double smallest = 0;
    double largest = 0;

    void include(double value) {
        if (value <= 0) return;
        smallest = smallest == 0 ? value : std::min(smallest, value);
        largest = std::max(largest, value);
    }
    LogAxis axis(int base) const {
        return smallest == 0 ? LogAxis(1, base, base) : LogAxis(smallest, largest, base);
    }
};

std::string grid(const Panel& panel, const LogAxis& x, const LogAxis& y) {
    const double bottom = panel.top + kPanelHeight;
    std::string svg = fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kPanelLeft, panel.top - 8,
                                  escaped(panel.title));
    for (const double tick : y.ticks(7)) {
        const double at = bottom - y.place(tick) * kPanelHeight;
        svg += fmt::format(
            "<line class=\"grid\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>"
            "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
            kPanelLeft, at, kPanelLeft + kPanelWidth, at, kPanelLeft - 8, at + 4,
            escaped(panel.label(tick)));
    }
    for (const double tick : x.ticks(9)) {
        const double at = kPanelLeft + x.place(tick) * kPanelWidth;
        svg += fmt::format(
            "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{}\" x2=\"{:.1f}\" y2=\"{}\"/>"
            "<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            at, panel.top, at, bottom, at, bottom + 18, size_label(tick));
    }
    return svg +
           fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                       kPanelLeft, panel.top, kPanelWidth, kPanelHeight);
}

std::string lines(const Panel& panel, const std::vector<Series>& all, const LogAxis& x,
                  const LogAxis& y) {
    std::string svg;
    for (const Series& series : all) {
        std::string path;
        std::string points;
        for (std::size_t i = 0; i < series.rows.size(); ++i) {
            const double value = panel.value(series.at(i));
            if (value <= 0) continue;  // one rank has no bus bandwidth
            const double size = static_cast<double>(series.rows[i]->size);
            const double at_x = kPanelLeft + x.place(size) * kPanelWidth;
            const double at_y = panel.top + (1 - y.place(value)) * kPanelHeight;
            path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "" : " ", at_x, at_y);
            points += fmt::format(
                "<circle class=\"point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"><title>{}: "
                "{}</title></circle>",
                at_x, at_y, size_label(size), escaped(panel.label(value)));
        }
        svg += fmt::format("<g class=\"c{}\"><polyline class=\"line{}\" points=\"{}\"/>{}</g>\n",
                           series.color, series.in_place ? " dashed" : "", path, points);
    }
    return svg;
}

std::string legend(const std::vector<Series>& all, double top) {
    std::string svg;
    double y = top;
    std::size_t shown = 0;
    for (const Series& series : all) {
        if (shown++ == kMostLegendLines) {
            svg += fmt::format("<text class=\"quiet\" x=\"{}\" y=\"{}\">and {} more</text>\n",
                               kPanelLeft + 40, y + 4, all.size() - kMostLegendLines);
            break;
        }
        svg += fmt::format(
            "<g class=\"c{}\"><line class=\"line{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/></g>"
            "<text x=\"{}\" y=\"{}\">{}, {}</text>\n",
            series.color, series.in_place ? " dashed" : "", kPanelLeft, y, kPanelLeft + 30, y,
            kPanelLeft + 40, y + 4, escaped(series.name),
            series.in_place ? "in place" : "out of place");
        y += kLegendLineHeight;
    }
    return svg;
}

}  // namespace

std::string plot_svg(const PlotTitle& title, const std::vector<Row>& rows) {
    const std::vector<Series> all = series_of(rows);
    const std::array<Panel, 2> panels = {{
        {"bus bandwidth, GB/s", kTop, [](const Measurement& m) { return m.bus_gbs; },
         bandwidth_label},
        {"time of one operation", kTop + kPanelDistance,
         [](const Measurement& m) { return m.time_us; }, time_label},
    }};
    const double legend_top = kTop + 2 * kPanelDistance - 14;
    const double height =
        legend_top +
        kLegendLineHeight * static_cast<double>(std::min(all.size(), kMostLegendLines + 1) + 1);

    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" "
        "height=\"{}\" role=\"img\" aria-label=\"{}\">\n",
        kImageWidth, height, kImageWidth, height, escaped(title.heading));
    svg += kStyle;
    svg += fmt::format("<text class=\"heading\" x=\"{}\" y=\"26\">{}</text>\n", kPanelLeft,
                       escaped(title.heading));
    svg += fmt::format("<text class=\"quiet\" x=\"{}\" y=\"45\">{}</text>\n", kPanelLeft,
                       escaped(title.subtitle));
    Range sizes;
    for (const Series& series : all) {
        for (const Row* row : series.rows) sizes.include(static_cast<double>(row->size));
    }
    const LogAxis x = sizes.axis(2);
    for (const Panel& panel : panels) {
        Range values;
        for (const Series& series : all) {
            for (std::size_t i = 0; i < series.rows.size(); ++i) {
                values.include(panel.value(series.at(i)));
            }
        }
        const LogAxis y = values.axis(10);
        svg += grid(panel, x, y) + lines(panel, all, x, y);
    }
    return svg + legend(all, legend_top) + "</svg>\n";
}

}  // namespace xccl::perf
