// The file that keeps a machine's costs, in the user's cache folder: $XDG_CACHE_HOME/xccl, or
// ~/.cache/xccl. Machines that share a home have files of their own.
//
// Many processes may start at once. Who gets the lock measures and writes; nobody waits for it. The
// file is renamed to its place when it is written; one that is cut off all the same is refused.
#pragma once

#include <string>

#include "base/owned_descriptor.h"
#include "base/status.h"
#include "machine/measured_costs.h"

namespace xccl {

// Empty if the environment names none, or may not. Only an absolute XDG_CACHE_HOME counts.
std::string user_cache_folder();

class CostFile {
  public:
    CostFile(std::string folder, std::string machine);

    const std::string& path() const { return path_; }
    // A failure's text says what is wrong with a file that is there; it is empty if there is none.
    Result<MeasuredCosts> read() const;
    // Makes the folder, and takes the lock, which goes with the descriptor or the process. No
    // descriptor: somebody else has it. A failure: nothing can be kept here.
    Result<OwnedDescriptor> lock() const;
    // Call it with the lock.
    Status write(const MeasuredCosts& costs) const;

  private:
    std::string folder_;
    std::string machine_;
    std::string path_;
};

}  // namespace xccl
