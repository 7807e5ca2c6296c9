#include "report/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "report/utf8.h"

namespace xccl::trainer {
namespace {

// In the units of the picture, which the page scales to its own width.
constexpr double kHeight = 260;
constexpr double kLabelled = 60, kPlain = 56;  // left of the axis
constexpr double kRight = 14, kTop = 14, kBottom = 44;
constexpr double kTickWidth = 90;
constexpr int kTicksY = 5;

struct Range {
    double low = 0, high = 1;
};

// Data to picture.
struct Frame {
    Range x, y;
    double left, right;  // edges of the picture's inside

    double px(double value) const {
        return left + (value - x.low) / (x.high - x.low) * (right - left);
    }
    double py(double value) const {
        return kHeight - kBottom - (value - y.low) / (y.high - y.low) * (kHeight - kTop - kBottom);
    }
};

bool is_finite(const ChartPoint& point) {
    return std::isfinite(point.x) && std::isfinite(point.y);
}

Range widened(Range range) {
    if (!(range.low <= range.high)) return {0, 1};  // no point at all
    if (range.low == range.high) range.high = range.low + std::max(1.0, std::abs(range.low));
    return range;
}

Frame frame_of(const Chart& chart) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    Range x{kInfinity, -kInfinity}, y{chart.from_zero ? 0 : kInfinity, -kInfinity};
    for (const Series& series : chart.series) {
        for (const ChartPoint& point : series.points) {
            if (!is_finite(point)) continue;
            x = {std::min(x.low, point.x), std::max(x.high, point.x)};
            y = {std::min(y.low, point.y), std::max(y.high, point.y)};
        }
    }
    Frame frame{widened(x), widened(y), chart.y_label.empty() ? kPlain : kLabelled,
                chart.width - kRight};
    const double tick = tick_distance(frame.y.high - frame.y.low, kTicksY);
    frame.y = {std::floor(frame.y.low / tick) * tick, std::ceil(frame.y.high / tick) * tick};
    return frame;
}

// 1.5, 20k, 3M: short enough to stand beside an axis.
std::string tick_text(double value, double distance) {
    for (const auto& [unit, suffix] : {std::pair{1e9, "G"}, {1e6, "M"}, {1e3, "k"}}) {
        if (std::abs(value) >= unit && distance >= unit / 100) {
            return fmt::format("{:g}{}", std::round(value / unit * 100) / 100, suffix);
        }
    }
    if (std::abs(value) < distance / 1e3) return "0";
    return fmt::format("{:.6g}", value);
}

std::string axes(const Chart& chart, const Frame& frame) {
    std::string svg;
    const auto out = std::back_inserter(svg);
    const double bottom = kHeight - kBottom;
    const double y_tick = tick_distance(frame.y.high - frame.y.low, kTicksY);
    for (int i = 0; frame.y.low + i * y_tick <= frame.y.high + y_tick / 2; ++i) {
        const double value = frame.y.low + i * y_tick;
        fmt::format_to(out,
                       "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                       frame.left, frame.right, frame.py(value), frame.py(value));
        fmt::format_to(
            out, "<text class=\"axis\" text-anchor=\"end\" x=\"{}\" y=\"{:.1f}\">{}</text>",
            frame.left - 8, frame.py(value) + 4,
            chart.percent ? fmt::format("{:.0f} %", 100 * value) : tick_text(value, y_tick));
    }
    const double x_tick =
        tick_distance(frame.x.high - frame.x.low, static_cast<int>(chart.width / kTickWidth));
    const double first = std::ceil(frame.x.low / x_tick) * x_tick;
    for (int i = 0; first + i * x_tick <= frame.x.high; ++i) {
        const double value = first + i * x_tick;
        fmt::format_to(out,
                       "<line class=\"tick\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>",
                       frame.px(value), bottom, bottom + 5);
        fmt::format_to(
            out, "<text class=\"axis\" text-anchor=\"middle\" x=\"{:.1f}\" y=\"{}\">{}</text>",
            frame.px(value), bottom + 18, tick_text(value, x_tick));
    }
    fmt::format_to(out, "<line class=\"baseline\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>",
                   frame.left, frame.right, bottom, bottom);
    fmt::format_to(out, "<text class=\"axis\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>",
                   (frame.left + frame.right) / 2, kHeight - 8, escaped(chart.x_label));
    fmt::format_to(out,
                   "<text class=\"axis\" text-anchor=\"middle\" transform=\"translate(13 {}) "
                   "rotate(-90)\">{}</text>",
                   (kTop + bottom) / 2, escaped(chart.y_label));
    return svg;
}

std::string opened(const std::string& title, double width, double height) {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" "
        "aria-label=\"{}\">",
        width, height, escaped(title));
}

std::string drawn(const Series& series, const Frame& frame) {
    std::string svg;
    const auto out = std::back_inserter(svg);
    if (series.style == SeriesStyle::kDots) {
        for (const ChartPoint& point : series.points) {
            if (!is_finite(point)) continue;
            fmt::format_to(out,
                           "<circle class=\"dot series-{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\">"
                           "<title>{}: {:.4g}</title></circle>",
                           series.colour, frame.px(point.x), frame.py(point.y),
                           escaped(series.name), point.y);
        }
        return svg;
    }
    fmt::format_to(out, "<polyline class=\"{} series-{}\" points=\"",
                   series.style == SeriesStyle::kLine ? "line" : "line faint", series.colour);
    for (const ChartPoint& point : series.points) {
        if (!is_finite(point)) continue;
        fmt::format_to(out, "{:.1f},{:.1f} ", frame.px(point.x), frame.py(point.y));
    }
    svg += "\"/>";
    return svg;
}

bool has_points(const Chart& chart) {
    return std::any_of(chart.series.begin(), chart.series.end(), [](const Series& series) {
        return std::any_of(series.points.begin(), series.points.end(), is_finite);
    });
}

constexpr const char* kNoData =
    "<text class=\"axis\" text-anchor=\"middle\" x=\"50%\" y=\"45%\">no data</text>";

double length_of(const Bar& bar) {
    double sum = 0;
    for (const BarPart& part : bar.parts) sum += std::max(part.value, 0.0);
    return sum;
}

}  // namespace

double tick_distance(double range, int count) {
    const double rough = range / count;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (rough <= factor * power * 1.0001) return factor * power;
    }
    return 10 * power;
}

std::string line_chart(const Chart& chart) {
    const Frame frame = frame_of(chart);
    std::string svg = opened(chart.title, chart.width, kHeight) + axes(chart, frame);
    for (const Series& series : chart.series) svg += drawn(series, frame);
    if (!has_points(chart)) svg += kNoData;
    return svg + "</svg>";
}

std::string share_chart(const Chart& chart) {
    Frame frame = frame_of(chart);
    frame.y = {0, 1};
    std::string svg = opened(chart.title, chart.width, kHeight) + axes(chart, frame);
    const std::size_t count = chart.series.empty() ? 0 : chart.series.front().points.size();
    std::vector<double> lower(count, 0.0);
    for (const Series& series : chart.series) {
        std::string up, down;  // along the upper edge, and back along the lower one
        for (std::size_t i = 0; i < count; ++i) {
            const double x = frame.px(series.points[i].x);
            up += fmt::format("{:.1f},{:.1f} ", x, frame.py(lower[i] + series.points[i].y));
            down.insert(0, fmt::format("{:.1f},{:.1f} ", x, frame.py(lower[i])));
            lower[i] += series.points[i].y;
        }
        svg += fmt::format(
            "<polygon class=\"area series-{}\" points=\"{}{}\"><title>{}</title></polygon>",
            series.colour, up, down, escaped(series.name));
    }
    if (!has_points(chart)) svg += kNoData;
    return svg + "</svg>";
}

std::string stacked_bars(const std::string& title, double width, const std::vector<Bar>& bars) {
    constexpr double kBar = 24, kGap = 10, kLabel = 60;
    double longest = 0;
    for (const Bar& bar : bars) longest = std::max(longest, length_of(bar));
    const auto rows = static_cast<double>(std::max<std::size_t>(bars.size(), 1));
    std::string svg = opened(title, width, rows * (kBar + kGap));
    double y = kGap / 2;
    for (const Bar& bar : bars) {
        svg += fmt::format("<text class=\"axis\" x=\"0\" y=\"{}\">{}</text>", y + kBar / 2 + 4,
                           escaped(bar.label));
        double x = kLabel;
        for (const BarPart& part : bar.parts) {
            const double share = longest > 0 ? std::max(part.value, 0.0) / longest : 0;
            svg += fmt::format(
                "<rect class=\"area series-{}\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" "
                "height=\"{}\"><title>{}: {:.1f} %</title></rect>",
                part.colour, x, y, share * (width - kLabel), kBar, escaped(part.name), 100 * share);
            x += share * (width - kLabel);
        }
        y += kBar + kGap;
    }
    return svg + "</svg>";
}

std::string escaped(const std::string& text) {
    std::string safe;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        switch (text[at]) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            default:
                if (length > 0) {
                    safe.append(text, at, length);
                } else {
                    safe += kReplacementCharacter;
                }
        }
        at += std::max<std::size_t>(length, 1);
    }
    return safe;
}

}  // namespace xccl::trainer
