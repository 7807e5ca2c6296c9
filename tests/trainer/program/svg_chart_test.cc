// Goal: pictures show what they are given, whatever it is: nothing, one point, numbers that are
// none.
#include "report/svg_chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace xccl::trainer {
namespace {

std::size_t times_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

TEST(TickDistance, IsRound) {
    EXPECT_DOUBLE_EQ(tick_distance(10, 5), 2);
    EXPECT_DOUBLE_EQ(tick_distance(100, 7), 20);
    EXPECT_DOUBLE_EQ(tick_distance(0.3, 5), 0.1);
    EXPECT_DOUBLE_EQ(tick_distance(4, 5), 1);
    EXPECT_DOUBLE_EQ(tick_distance(40000, 5), 10000);
}

TEST(LineChart, DrawsEachSeries) {
    const std::string svg =
        line_chart({.title = "t",
                    .x_label = "x",
                    .y_label = "y",
                    .series = {{"a", 1, SeriesStyle::kLine, {{0, 0}, {1, 1}, {2, 4}}},
                               {"b", 2, SeriesStyle::kDots, {{0, 1}, {2, 2}}}}});
    EXPECT_EQ(times_of(svg, "<polyline"), 1u);
    EXPECT_EQ(times_of(svg, "<circle"), 2u);
    EXPECT_EQ(times_of(svg, "no data"), 0u);
    // The first point is at the left and on the baseline, the last at the right and on top.
    EXPECT_NE(svg.find("points=\"60.0,216.0 "), std::string::npos) << svg;
    EXPECT_NE(svg.find("466.0,14.0 \""), std::string::npos) << svg;
}

TEST(LineChart, NothingIsSaidToBeNothing) {
    const std::string svg =
        line_chart({.title = "t", .x_label = "x", .y_label = "y", .series = {}});
    EXPECT_EQ(times_of(svg, "no data"), 1u);
    EXPECT_EQ(times_of(svg, "<svg"), 1u);
    EXPECT_EQ(times_of(svg, "</svg>"), 1u);
}

TEST(LineChart, OnePointAndNumbersThatAreNone) {
    const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
    const std::string svg =
        line_chart({.title = "t",
                    .x_label = "x",
                    .y_label = "y",
                    .series = {{"a", 1, SeriesStyle::kLine, {{5, 3}, {6, nan}, {7, infinity}}}}});
    EXPECT_EQ(times_of(svg, "nan"), 0u) << svg;
    EXPECT_EQ(times_of(svg, "inf"), 0u) << svg;
    const std::string of_none = line_chart({.title = "t",
                                            .x_label = "x",
                                            .y_label = "y",
                                            .series = {{"a", 1, SeriesStyle::kLine, {{1, nan}}}}});
    EXPECT_EQ(times_of(of_none, "no data"), 1u);
}

TEST(ShareChart, StacksToTheTop) {
    const std::string svg =
        share_chart({.title = "t",
                     .x_label = "x",
                     .y_label = "y",
                     .series = {{"a", 1, SeriesStyle::kLine, {{0, 0.25}, {1, 0.75}}},
                                {"b", 2, SeriesStyle::kLine, {{0, 0.75}, {1, 0.25}}}}});
    EXPECT_EQ(times_of(svg, "<polygon"), 2u);
    // b's upper edge runs along the top of the frame.
    EXPECT_NE(svg.find("points=\"60.0,14.0 466.0,14.0 "), std::string::npos) << svg;
}

TEST(StackedBars, WidthsAreShares) {
    const std::string svg =
        stacked_bars("t", 460, {{"rank 0", {{"a", 1, 3}, {"b", 2, 1}}}, {"rank 1", {{"a", 1, 2}}}});
    EXPECT_EQ(times_of(svg, "<rect"), 3u);
    EXPECT_NE(svg.find("width=\"300.00\""), std::string::npos) << svg;  // 3/4 of 400
    EXPECT_NE(svg.find("a: 75.0 %"), std::string::npos);
    EXPECT_EQ(times_of(stacked_bars("t", 460, {}), "</svg>"), 1u);
    EXPECT_EQ(times_of(stacked_bars("t", 460, {{"rank 0", {{"a", 1, 0}}}}), "nan"), 0u);
}

TEST(Escaped, IsSafeInMarkup) {
    EXPECT_EQ(escaped("a<b & \"c\">"), "a&lt;b &amp; &quot;c&quot;&gt;");
    EXPECT_EQ(escaped("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x99\x82"),
              "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x99\x82");
    const std::string replaced = "\xef\xbf\xbd";
    EXPECT_EQ(escaped(std::string("\0", 1)), replaced);
    EXPECT_EQ(escaped("\x1b\x07"), replaced + replaced);
    EXPECT_EQ(escaped("\xff"), replaced);
    EXPECT_EQ(escaped("\xc3"), replaced);                                // cut short
    EXPECT_EQ(escaped("\xc0\xaf"), replaced + replaced);                 // an overlong slash
    EXPECT_EQ(escaped("\xed\xa0\x80"), replaced + replaced + replaced);  // half a surrogate pair
    EXPECT_EQ(escaped("a\nb\tc"), "a\nb\tc");
}

}  // namespace
}  // namespace xccl::trainer
