// The report: one HTML page that needs nothing else. Pictures are inline SVG; colours follow the
// reader's light or dark setting; it is well-formed XML too.
#pragma once

#include <string>

#include "report/run_summary.h"

namespace xccl::trainer {

std::string report_page(const RunSummary& run);

}  // namespace xccl::trainer
