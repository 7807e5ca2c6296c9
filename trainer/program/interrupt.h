// Ctrl-C: the first one asks the run to end after the step at hand, a second one ends it at once.
#pragma once

namespace xccl::trainer {

// SIGINT and SIGTERM are noted from now on; writing to a closed pipe or beyond a limit of file size
// is an error of the write instead of the end of the process.
void watch_interrupts();

// The first signal that came; 0: none did.
int interrupt_signal();

// Signals end the process as if they had never been watched.
void unwatch_interrupts();

}  // namespace xccl::trainer
