// The groups of figures, each in a file of its own.
#pragma once

#include <vector>

#include "limits/batches.h"
#include "limits/figure.h"

namespace xccl::limits {

std::vector<Figure> clock_figures(const Effort& effort);      // clocks.cc
std::vector<Figure> line_figures(const Effort& effort);       // lines.cc
std::vector<Figure> bandwidth_figures(const Effort& effort);  // bandwidth.cc
std::vector<Figure> kernel_figures(const Effort& effort);     // kernel.cc
std::vector<Figure> tcp_figures(const Effort& effort);        // tcp.cc

}  // namespace xccl::limits
