// From a caller's xcclConfig_t and the settings to the options of one communicator.
#pragma once

#include "base/status.h"
#include "comm/communicator.h"
#include "xccl.h"

namespace xccl {

// Null: the settings alone.
Result<CommunicatorOptions> options_from(const xcclConfig_t* given);

// For one rank alone: checks the structure and reads no settings, since none matters.
Result<CommunicatorOptions> options_for_one(const xcclConfig_t* given);

}  // namespace xccl
