// Measuring a machine: a few short experiments on two of its cores, within a bound of time.
//
//     messages   ping-pong of copies through a tray, short ones and long ones: the slope is the
//                cost of a byte, what is left the latency
//     caches     copying and adding what lies in a core's cache
//     streaming  from which size on results had better be written past the caches, if they are read
//                afterwards
//
// Figures are the least of several repeats: what disturbs makes them larger. What an experiment
// had no time for keeps its built-in value.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "machine/measured_costs.h"
#include "machine/stopwatch.h"

namespace xccl {

// What the start of the first communicator may be slowed down by is 200 ms; the rest is for threads
// to start and end on a machine that is crowded.
constexpr std::chrono::milliseconds kMeasuringTime{150};

// Sets what it found out, and leaves the rest alone. Ends soon after the time is up.
using Experiment = std::function<void(const Stopwatch&, MeasuredCosts*)>;

// One after the other, as long as there is time. What comes out is believable.
MeasuredCosts measure(std::span<const Experiment> experiments, const Stopwatch& stopwatch);
// Those above, on this machine.
std::vector<Experiment> machine_experiments();

}  // namespace xccl
