// The timed loop of a rank.
#pragma once

#include <string>

#include "library.h"
#include "request.h"
#include "starting_line.h"

namespace xccl::compare {

// The answer to the request: see worker.cc.
std::string measure(Library& library, StartingLine& line, const Request& request);

}  // namespace xccl::compare
