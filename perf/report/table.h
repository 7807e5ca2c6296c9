// The table on standard output, byte for byte as nccl-tests prints it, so that scripts that read
// the one read the other: 13 fields in each data row, # before all else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/row.h"

namespace xccl::perf {

struct TableStyle {
    bool cpu_time = false;       // the time column is that of issuing
    bool per_iteration = false;  // -I: four more columns a placement
    bool percentiles = false;    // two more
    bool timestamps = false;
};

// The three lines of titles.
std::string table_titles(const TableStyle& style);
std::string table_row(const TableStyle& style, const Row& row);

// "# Out of bounds values : 0 OK" and "# Avg bus bandwidth    : 3.45678 ".
std::string bounds_line(long failed_checks);
// The verdict is empty where no bandwidth was demanded.
std::string bandwidth_line(double average_gbs, std::string_view verdict);

// A number in `width` columns, with as many decimals as fit.
std::string fitted(double value, int width);

}  // namespace xccl::perf
