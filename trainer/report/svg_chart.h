// Pictures as inline SVG: text that scales, prints, and takes its colours from the page (classes
// series-1 .. series-6, axis, grid), so that it is right on light and dark ground.
#pragma once

#include <string>
#include <vector>

namespace xccl::trainer {

struct ChartPoint {
    double x = 0;
    double y = 0;
};

enum class SeriesStyle { kLine, kFaintLine, kDots };

struct Series {
    std::string name;  // for the legend
    int colour = 1;    // 1 to 6
    SeriesStyle style = SeriesStyle::kLine;
    std::vector<ChartPoint> points;  // by x; those that are not finite are left out
};

struct Chart {
    std::string title;  // read by screen readers
    std::string x_label;
    std::string y_label;     // may be empty
    double width = 480;      // of the picture; 12 of its units are a line of text
    bool from_zero = false;  // the y axis begins at 0
    bool percent = false;    // marks of the y axis are hundredths
    std::vector<Series> series;
};

// Lines and dots over a pair of axes. Without any point: axes and the words "no data".
std::string line_chart(const Chart& chart);

// Shares that add up to one, stacked over x: part i of series lies on those before it.
std::string share_chart(const Chart& chart);

struct BarPart {
    std::string name;
    int colour = 1;
    double value = 0;
};
struct Bar {
    std::string label;
    std::vector<BarPart> parts;
};
// Horizontal bars to one scale, with the share of each part in its tooltip.
std::string stacked_bars(const std::string& title, double width, const std::vector<Bar>& bars);

// Text for inside of elements and attributes: markup escaped, bytes that are not valid UTF-8 or not
// allowed in XML replaced.
std::string escaped(const std::string& text);

// "1", "2" or "5" times a power of ten: the distance of about `count` marks over `range`.
double tick_distance(double range, int count);

}  // namespace xccl::trainer
