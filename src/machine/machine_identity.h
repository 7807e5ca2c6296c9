// What tells a machine from others, as far as costs depend on it: the processor and its caches, and
// which CPUs this process may use.
#pragma once

#include <string>

namespace xccl {

// One line for people to read; equal where the same costs hold.
std::string machine_identity();

}  // namespace xccl
