// --plot: bandwidth and time against size, as one SVG file that needs nothing else, readable on
// light and on dark ground.
//
// Lines are kept apart by color, and placements by full and dashed strokes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/row.h"

namespace xccl::perf {

struct PlotTitle {
    std::string heading;   // "all_reduce_perf, 4 ranks"
    std::string subtitle;  // machine, date
};

// Rows of several types, operators or roots become a pair of lines each. Rows of size 0 have no
// place on a logarithmic axis and are left out.
std::string plot_svg(const PlotTitle& title, const std::vector<Row>& rows);

}  // namespace xccl::perf
