// What is measured on a machine, and what it means to the planner and the engine.
//
// Each number has a built-in value that serves where nothing was measured, and bounds: what lies
// outside was disturbed, or comes from a file that somebody has edited, and the built-in value is
// kept.
#pragma once

#include <array>
#include <cstdint>

#include "plan/cost_model.h"

namespace xccl {

// Doubles, all of them: so they are walked over, written and sent alike.
struct MeasuredCosts {
    double latency_us = 0;           // of a message, from published by one core to seen by another
    double slot_us_per_byte = 0;     // work on a slot of a mailbox, at either end
    double buffer_us_per_byte = 0;   // reading or writing a buffer in a core's cache
    double combine_us_per_byte = 0;  // per source of a reduction beyond the first
    double cached_bytes = 0;  // what one core can touch before it had better write past caches
    bool operator==(const MeasuredCosts&) const = default;
};

struct MeasuredField {
    const char* name;
    double MeasuredCosts::*value;
    double most;  // times the built-in value, or a part of it
};

constexpr std::array<MeasuredField, 5> kMeasuredFields = {{
    {"latency_us", &MeasuredCosts::latency_us, 8},
    {"slot_us_per_byte", &MeasuredCosts::slot_us_per_byte, 8},
    {"buffer_us_per_byte", &MeasuredCosts::buffer_us_per_byte, 8},
    {"combine_us_per_byte", &MeasuredCosts::combine_us_per_byte, 8},
    // What a processor says of its last cache may be far from what a virtual machine is given.
    {"cached_bytes", &MeasuredCosts::cached_bytes, 1024},
}};

// The planner's numbers, and what the processor says of its last-level cache.
MeasuredCosts built_in_costs();

bool is_believable(const MeasuredField& field, const MeasuredCosts& costs);
// Built-in values in place of those that are not believable.
MeasuredCosts believable(MeasuredCosts costs);

// The planner's numbers: what is measured, and built-in ones for the rest.
HostCosts host_costs(const MeasuredCosts& measured);
// What one of `ranks` on `cores` of a machine (0: not known) touches before it writes past the
// caches: never more than its share of what the processor claims.
std::uint64_t cached_bytes_of_rank(const MeasuredCosts& measured, std::size_t ranks, int cores);

}  // namespace xccl
