// What ends the program early: one line for the user, and the exit code that scripts see.
//
// The trainer is a program, not a library: nothing between the place that fails and main() could
// repair a failure, so failures travel as exceptions and main() alone prints them.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace xccl::trainer {

// Documented in docs/trainer.md and by --help.
enum ExitCode : int {
    kSucceeded = 0,
    kFailed = 1,         // memory, the system, a diverged loss, a bug
    kBadUsage = 2,       // unknown or malformed option, options that contradict each other
    kBadText = 3,        // unreadable, empty, binary or too short
    kOutputFailed = 4,   // report or metrics could not be written
    kCommunication = 5,  // a rank was lost, or the ranks never met
    kInterrupted = 130,  // Ctrl-C or SIGTERM: the step was finished and the report written
};

class Failure : public std::runtime_error {
  public:
    template <typename... Args>
    Failure(ExitCode code, fmt::format_string<Args...> text, Args&&... args)
        : std::runtime_error(fmt::format(text, std::forward<Args>(args)...)), code_(code) {}

    ExitCode code() const { return code_; }

  private:
    ExitCode code_;
};

// One that every rank meets in the same way, at the same place: rank 0 speaks for all.
class SharedFailure : public Failure {
  public:
    using Failure::Failure;
};

}  // namespace xccl::trainer
