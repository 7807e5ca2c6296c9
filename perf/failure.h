// How a run of xccl-tests ends: the exit codes, and the exception that carries one to the top.
//
// These are programs, and nobody calls into them: whatever goes wrong ends the run. So failures
// are thrown where they are found and caught once per thread (run/crew.h).
#pragma once

#include <stdexcept>
#include <string>

namespace xccl::perf {

// The numbers are those of nccl-tests where it has one, so that scripts keep working.
enum class ExitCode {
    kOk = 0,
    kInternalError = 1,
    kLibraryError = 3,
    kTimeout = 4,
    kNotPossible = 5,
    kInvalidUsage = 6,
    kWrongResult = 7,  // wrong values, or less bandwidth than asked for
    kInterrupted = 130,
    kBadSize = 255,
};

// Who finds out: this process alone, or every process of the job, so that one is enough to tell.
enum class FoundBy { kOneProcess, kAllProcesses };

class Failure : public std::runtime_error {
  public:
    Failure(ExitCode code, const std::string& text, FoundBy found_by = FoundBy::kOneProcess)
        : std::runtime_error(text), code_(code), found_by_(found_by) {}
    ExitCode code() const { return code_; }
    FoundBy found_by() const { return found_by_; }

  private:
    ExitCode code_;
    FoundBy found_by_;
};

}  // namespace xccl::perf
