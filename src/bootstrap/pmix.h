// The key-value service of PMIx launchers: Open MPI's mpirun, prterun, and srun --mpi=pmix.
#pragma once

#include "bootstrap/key_value_service.h"
#include "bootstrap/launch.h"

namespace xccl {

// The process's PMIx connection: made by the first call that finds a launcher, finalised when the
// process ends. PMIx counts its users, so an MPI library beside us may have one too, before, during
// or after.
class Pmix : public KeyValueService {
  public:
    // Thread-safe. Null: no PMIx launcher, no libpmix, or it refused.
    static Pmix* of_this_process();

    virtual int rank() const = 0;
    virtual std::optional<PmixStanding> standing() = 0;
};

}  // namespace xccl
