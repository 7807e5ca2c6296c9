// Calls into the library that end the run where they fail.
#pragma once

#include <source_location>

#include "xccl.h"

namespace xccl::perf {

// Throws Failure (kLibraryError) in nccl-tests' words, with the place of the call and what the
// library says went wrong. `comm` may be null.
void require(xcclResult_t result, xcclComm_t comm = nullptr,
             std::source_location where = std::source_location::current());

}  // namespace xccl::perf
