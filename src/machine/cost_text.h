// The text of the file that keeps a machine's costs:
//
//     {"format": 2, "machine": "Intel(R) Xeon(R) Processor, 2 of 2 CPUs, ...",
//      "costs": {"latency_us": 0.08, ...}}
//
// Numbers are written so that they are read back bit for bit. Other formats, other machines, and
// costs that nobody would believe are refused, whole: then the machine is measured again.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "machine/measured_costs.h"

namespace xccl {

constexpr int kCostFormat = 3;  // another meaning of a number is another format
constexpr std::size_t kMaxCostTextBytes = 4096;

std::string cost_text(const MeasuredCosts& costs, std::string_view machine);
Result<MeasuredCosts> parse_cost_text(std::string_view text, std::string_view machine);

}  // namespace xccl
