// A run as JSON lines, for other programs. One object a line, told apart by "event":
//
//     {"event":"run", settings, ranks, parameters ...}    first
//     {"event":"evaluation","step":0,"loss":5.545,"bits_per_byte":8.0, ...}
//     {"event":"step","step":0,"loss":5.546,"tokens_per_second":11324.2,"compute":0.91, ...}
//     {"event":"end", steps, seconds, checksum, sample ...}   last
//
// Losses are nats per byte; compute, exposed_communication, input, optimizer and other are shares
// of the step's time, the mean over ranks. least_exposed_seconds is of the rank that waited least:
// the others waited for it as well as for communication.
#pragma once

#include <string>

#include "report/run_summary.h"
#include "report/step_record.h"

namespace xccl::trainer {

// Each without the line's end. Numbers that are not finite are null.
std::string run_line(const RunSummary& run);
std::string evaluation_line(const Evaluation& evaluation);
std::string step_line(const StepRecord& record);
std::string end_line(const RunSummary& run);

double bits_per_byte(double nats);

}  // namespace xccl::trainer
