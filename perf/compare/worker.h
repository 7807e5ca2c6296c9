// One rank of one library in a comparison, whatever language the library is called from.
#pragma once

#include "library.h"

namespace xccl::compare {

// Serves the coordinator at the Unix socket `socket` until it says that all is done (worker.cc
// tells what they say). `starting_line`: see starting_line.h.
void serve_coordinator(Library& library, const char* socket, const char* starting_line);

}  // namespace xccl::compare
