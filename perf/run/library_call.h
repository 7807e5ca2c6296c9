// Calls into the library that end the run where they fail.
#pragma once

#include "xccl.h"

namespace xccl::perf {

// Throws Failure (kLibraryError) in nccl-tests' words, with the place of the call and what the
// library says went wrong. `comm` may be null.
void require(xcclResult_t result, xcclComm_t comm = nullptr, const char* file = __builtin_FILE(),
             int line = __builtin_LINE());

}  // namespace xccl::perf
