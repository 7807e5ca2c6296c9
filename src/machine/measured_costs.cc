#include "machine/measured_costs.h"

#include <algorithm>

#include "plan/tuning/host.h"
#include "topology/host.h"

namespace xccl {
namespace {

constexpr double kNoClaim = 0x1p62;  // the processor says nothing of its caches

double claimed_cache_bytes() {
    static const double claimed = std::min(static_cast<double>(last_level_cache_bytes()), kNoClaim);
    return claimed;
}

}  // namespace

MeasuredCosts built_in_costs() {
    const HostCosts& costs = tuning::kHost;
    return {.latency_us = costs.slotted.latency_us,
            .slot_us_per_byte = costs.slotted.us_per_byte,
            .buffer_us_per_byte = costs.buffer_us_per_byte,
            .combine_us_per_byte = costs.combine_us_per_byte,
            .cached_bytes = claimed_cache_bytes()};
}

bool is_believable(const MeasuredField& field, const MeasuredCosts& costs) {
    constexpr double kLeastCache = 0x1p18, kMostCache = 0x1p33;
    const double value = costs.*field.value;
    if (field.value == &MeasuredCosts::cached_bytes && claimed_cache_bytes() == kNoClaim) {
        return value == kNoClaim || (value >= kLeastCache && value <= kMostCache);
    }
    const double ratio = value / built_in_costs().*field.value;
    return ratio >= 1 / field.most && ratio <= field.most;  // false for what is no number, too
}

MeasuredCosts believable(MeasuredCosts costs) {
    const MeasuredCosts built_in = built_in_costs();
    for (const MeasuredField& field : kMeasuredFields) {
        if (!is_believable(field, costs)) costs.*field.value = built_in.*field.value;
    }
    return costs;
}

// Both protocols differ as they do in the built-in numbers: what is measured is the machine.
HostCosts host_costs(const MeasuredCosts& measured) {
    HostCosts costs = tuning::kHost;
    const double latency = measured.latency_us / costs.slotted.latency_us;
    costs.flagged.latency_us *= latency;
    costs.slotted.latency_us *= latency;
    const double slot = measured.slot_us_per_byte / costs.slotted.us_per_byte;
    costs.flagged.us_per_byte *= slot;
    costs.slotted.us_per_byte *= slot;
    costs.buffer_us_per_byte = measured.buffer_us_per_byte;
    costs.combine_us_per_byte = measured.combine_us_per_byte;
    return costs;
}

std::uint64_t cached_bytes_of_rank(const MeasuredCosts& measured, std::size_t ranks, int cores) {
    const auto rank_count = static_cast<double>(std::max<std::size_t>(ranks, 1));
    const double core_count = cores > 0 ? std::min<double>(cores, rank_count) : rank_count;
    const double share = std::min(measured.cached_bytes * core_count, claimed_cache_bytes());
    return static_cast<std::uint64_t>(share / rank_count);
}

}  // namespace xccl
