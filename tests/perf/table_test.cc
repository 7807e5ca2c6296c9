// Goal: what is printed is, byte for byte, what scripts for nccl-tests read. Method: lines recorded
// from it, and the ways in which scripts take them apart.
#include "report/table.h"

#include <gtest/gtest.h>

#include <regex>
#include <sstream>

namespace xccl::perf {
namespace {

Row row_of(std::size_t size, double time_us) {
    Row row;
    row.size = size;
    row.count = size / 4;
    row.type = "float";
    row.op = "sum";
    row.out_of_place.time_us = time_us;
    row.in_place.time_us = 12.01;
    row.in_place.algorithm_gbs = 1.5;
    row.in_place.bus_gbs = 2.625;
    row.out_of_place.wrong = row.in_place.wrong = 0;
    return row;
}

std::vector<std::string> fields(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> all;
    for (std::string field; stream >> field;) all.push_back(field);
    return all;
}

TEST(Table, TitlesAreThoseOfNcclTests) {
    EXPECT_EQ(
        table_titles({}),
        "#                                                              out-of-place          "
        "             in-place          \n"
        "#       size         count      type   redop    root     time   algbw   busbw  "
        "#wrong     time   algbw   busbw  #wrong \n"
        "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)       "
        "      (us)  (GB/s)  (GB/s)         \n");
}

TEST(Table, RowsAreThoseOfNcclTests) {
    EXPECT_EQ(
        table_row({}, row_of(8, 12.34)),
        "           8             2     float     sum      -1    12.34    0.00    0.00       0"
        "    12.01    1.50    2.62       0\n");
    Row unchecked = row_of(8, 12.34);
    unchecked.in_place.wrong.reset();
    EXPECT_EQ(
        table_row({}, unchecked),
        "           8             2     float     sum      -1    12.34    0.00    0.00       0"
        "    12.01    1.50    2.62    N/A\n");
}

TEST(Table, RowsHaveThirteenFields) {
    const std::vector<std::string> line = fields(table_row({}, row_of(1 << 20, 12345678.9)));
    ASSERT_EQ(line.size(), 13u);
    EXPECT_EQ(line[7], "0.00");   // awk's $8
    EXPECT_EQ(line[11], "2.62");  // $12
}

TEST(Table, NumbersKeepAsManyDecimalsAsFit) {
    EXPECT_EQ(fitted(12.345, 7), "12.35");
    EXPECT_EQ(fitted(1234.56, 7), "1234.56");
    EXPECT_EQ(fitted(12345.6, 7), "12345.6");
    EXPECT_EQ(fitted(123456.7, 7), "123457");
    EXPECT_EQ(fitted(12345678, 7), "1.2e+07");
    EXPECT_EQ(fitted(999.99, 6), "999.99");
    EXPECT_EQ(fitted(1234.56, 6), "1234.6");
    EXPECT_EQ(fitted(12345678, 6), "1e+07");
}

TEST(Table, FooterIsFoundByTheUsualExpressions) {
    EXPECT_EQ(bounds_line(0), "# Out of bounds values : 0 OK\n");
    EXPECT_EQ(bounds_line(3), "# Out of bounds values : 3 FAILED\n");
    EXPECT_EQ(bandwidth_line(3.45678, ""), "# Avg bus bandwidth    : 3.45678 \n");
    EXPECT_EQ(bandwidth_line(3.45678, "OK"), "# Avg bus bandwidth    : 3.45678 OK\n");
    std::smatch match;
    const std::string line = bandwidth_line(12.5, "");
    ASSERT_TRUE(std::regex_search(line, match, std::regex(R"(Avg bus bandwidth\s*:\s*([\d.]+))")));
    EXPECT_EQ(match[1], "12.5");
}

TEST(Table, OptionsAddColumnsAtTheEndOfEachPlacement) {
    Row row = row_of(8, 1);
    const double times[] = {1, 2, 3, 4};
    row.out_of_place.iterations = IterationTimes{0, summarise(times), {}, {}};
    row.in_place.iterations = row.out_of_place.iterations;
    const TableStyle both{.per_iteration = true, .percentiles = true};
    const std::vector<std::string> line = fields(table_row(both, row));
    ASSERT_EQ(line.size(), 25u);
    EXPECT_EQ(line[9], "1.00");   // i_min
    EXPECT_EQ(line[10], "4.00");  // i_max
    EXPECT_EQ(line[13], "3.00");  // p50 = sorted[n / 2]
    EXPECT_EQ(line[14], "4.00");  // p99
    const std::string titles = table_titles(both);
    EXPECT_NE(titles.find("(+ per-iteration)"), std::string::npos);
    EXPECT_NE(titles.find("i_cv%"), std::string::npos);
    const TableStyle stamped{.cpu_time = true, .timestamps = true};
    row.timestamp = "2026-07-09 12:00:00";
    EXPECT_NE(table_row(stamped, row).find("  2026-07-09 12:00:00\n"), std::string::npos);
    EXPECT_NE(table_titles(stamped).find("cputime"), std::string::npos);
}

}  // namespace
}  // namespace xccl::perf
