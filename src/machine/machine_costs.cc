#include "machine/machine_costs.h"

#include <mutex>
#include <optional>

#include "base/config.h"
#include "machine/machine_identity.h"
#include "machine/measure.h"
#include "observe/log.h"

namespace xccl {
namespace {

MachineCosts built_in(CostOrigin origin, std::string note) {
    return {built_in_costs(), origin, std::move(note), false};
}

MachineCosts costs_of_this_machine() {
    if (!config().measure) return built_in(CostOrigin::kOff, "not asked for");
    const std::string folder = user_cache_folder();
    if (folder.empty()) {
        return built_in(CostOrigin::kBuiltIn,
                        "neither XDG_CACHE_HOME nor HOME says where to keep measured ones");
    }
    return find_costs(CostFile(folder, machine_identity()),
                      [] { return measure(machine_experiments(), Stopwatch(kMeasuringTime)); });
}

}  // namespace

const char* origin_name(CostOrigin origin) {
    switch (origin) {
        case CostOrigin::kOff:
            return "built in (XCCL_MEASURE=0)";
        case CostOrigin::kBuiltIn:
            return "built in";
        case CostOrigin::kMeasured:
            return "measured now";
        case CostOrigin::kRead:
            return "read from file";
    }
    return nullptr;
}

MachineCosts find_costs(const CostFile& file, const std::function<MeasuredCosts()>& measure) {
    if (auto costs = file.read(); costs.ok())
        return {*costs, CostOrigin::kRead, file.path(), false};
    const Result<OwnedDescriptor> lock = file.lock();
    if (!lock.ok()) return built_in(CostOrigin::kBuiltIn, lock.status().text());
    if (!*lock) {
        MachineCosts costs = built_in(CostOrigin::kBuiltIn, "another process is measuring");
        costs.may_change = true;
        return costs;
    }
    // Somebody may have finished between the two looks.
    const Result<MeasuredCosts> again = file.read();
    if (again.ok()) return {*again, CostOrigin::kRead, file.path(), false};
    const std::string& complaint = again.status().text();
    MachineCosts costs;
    const Clock::time_point start = Clock::now();
    costs.measured = measure();
    costs.origin = CostOrigin::kMeasured;
    costs.note = fmt::format(
        "{:.0f} ms; {}", std::chrono::duration<double, std::milli>(Clock::now() - start).count(),
        file.path());
    if (!complaint.empty()) costs.note += fmt::format(", which {}, is written anew", complaint);
    const Status written = file.write(costs.measured);
    if (!written.ok()) costs.note += fmt::format(", which cannot be kept: {}", written.text());
    return costs;
}

MachineCosts machine_costs() {
    static std::mutex mutex;
    static std::optional<MachineCosts> kept;
    const std::lock_guard lock(mutex);
    if (kept) return *kept;
    MachineCosts costs = costs_of_this_machine();
    if (costs.may_change) return costs;
    log(LogLevel::kInfo, -1, 0, "machine", "costs {} ({})", origin_name(costs.origin), costs.note);
    kept = costs;
    return costs;
}

}  // namespace xccl
