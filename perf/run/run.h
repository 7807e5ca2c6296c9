// A whole run of one of the programs.
#pragma once

#include <string_view>

namespace xccl::perf {

// main, for the collective of this name. The environment comes as a value, so that nothing reads it
// behind the caller's back.
int run_program(std::string_view name, int argc, char** argv, char** environment);

}  // namespace xccl::perf
