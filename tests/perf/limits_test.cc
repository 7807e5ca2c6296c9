// Goal: a figure of machine_limits is the median of its batches, and is void where they lie apart.
// Method: batches with known answers.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "limits/figure.h"

namespace xccl::limits {
namespace {

using Json = nlohmann::json;

TEST(Limits, QuantilesLieBetweenSamplesInProportion) {
    const std::vector<double> samples = {4, 1, 3, 2};  // in no order
    EXPECT_DOUBLE_EQ(quantile(samples, 0), 1);
    EXPECT_DOUBLE_EQ(quantile(samples, 0.5), 2.5);
    EXPECT_DOUBLE_EQ(quantile(samples, 0.75), 3.25);
    EXPECT_DOUBLE_EQ(quantile(samples, 1), 4);
    EXPECT_DOUBLE_EQ(quantile({}, 0.5), 0);
}

TEST(Limits, AnOutlierMovesNeitherMedianNorSpread) {
    const std::vector<double> calm = {10, 10.1, 10.2, 10.3, 10.4};
    const std::vector<double> outlier = {10, 10.1, 10.2, 10.3, 1000};
    EXPECT_DOUBLE_EQ(figure_of("x", "ns", outlier).value, 10.2);
    EXPECT_DOUBLE_EQ(figure_of("x", "ns", outlier).spread, figure_of("x", "ns", calm).spread);
    EXPECT_FALSE(figure_of("x", "ns", outlier).is_void());
}

TEST(Limits, BatchesThatLieApartMakeNoFigure) {
    const std::vector<double> samples = {8, 9, 10, 11, 12};  // between 9 and 11: a fifth of 10
    const Figure figure = figure_of("x", "ns", samples);
    EXPECT_DOUBLE_EQ(figure.spread, 0.2);
    EXPECT_TRUE(figure.is_void());
    EXPECT_NE(table({figure}).find("void: disturbed"), std::string::npos);
}

TEST(Limits, NothingMeasuredIsVoidWithItsReason) {
    EXPECT_TRUE(figure_of("x", "ns", {}).is_void());
    const std::vector<double> zeros = {0, 0, 0};
    EXPECT_TRUE(figure_of("x", "ns", zeros).is_void());
    EXPECT_NE(table({no_figure("x", "ns", "needs two cores")}).find("void: needs two cores"),
              std::string::npos);
}

TEST(Limits, AJsonLineSaysAllOfIt) {
    const std::vector<double> samples = {1.5, 1.5, 1.5};
    const Json good = Json::parse(json_line(figure_of("name", "GB/s", samples)));
    EXPECT_EQ(good["name"], "name");
    EXPECT_EQ(good["unit"], "GB/s");
    EXPECT_EQ(good["value"], 1.5);
    EXPECT_EQ(good["spread"], 0);
    EXPECT_EQ(good["batches"], 3);
    EXPECT_EQ(good["void"], false);
    EXPECT_FALSE(good.contains("reason"));
    const Json none = Json::parse(json_line(no_figure("name", "us", "needs two cores")));
    EXPECT_EQ(none["void"], true);
    EXPECT_EQ(none["reason"], "needs two cores");
}

}  // namespace
}  // namespace xccl::limits
