// The cores that this program may use, and staying on one of them.
#pragma once

namespace xccl::limits {

// How many cores this process was allowed when it first asked; later calls of pin_to_core() do not
// change it.
int core_count();

// `place`: 0 for the first core that is allowed, 1 for the second.
void pin_to_core(int place);

// Prints the text and ends the process.
[[noreturn]] void give_up(const char* text);

}  // namespace xccl::limits
