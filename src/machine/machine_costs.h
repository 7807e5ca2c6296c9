// This machine's costs, wherever they come from: a file, measuring, or the library's own numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "machine/cost_file.h"
#include "machine/measured_costs.h"

namespace xccl {

enum class CostOrigin : std::uint8_t { kOff, kBuiltIn, kMeasured, kRead };
// "built in (XCCL_MEASURE=0)", "built in", "measured now", "read from file"
const char* origin_name(CostOrigin origin);
// Are these the machine's own?
inline bool is_of_machine(CostOrigin origin) {
    return origin == CostOrigin::kMeasured || origin == CostOrigin::kRead;
}

struct MachineCosts {
    MeasuredCosts measured;
    CostOrigin origin = CostOrigin::kBuiltIn;
    std::string note;         // for people: where they lie, or why they are the library's own
    bool may_change = false;  // somebody is measuring: ask again
};

// Reads the file; if there is none that can be used, and the lock is to be had, measures and writes
// it. Nothing is measured where nothing could be kept: every process would pay for it.
MachineCosts find_costs(const CostFile& file, const std::function<MeasuredCosts()>& measure);

// As XCCL_MEASURE says; once per process, whose other threads wait for it.
MachineCosts machine_costs();

}  // namespace xccl
