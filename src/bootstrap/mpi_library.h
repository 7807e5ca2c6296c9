// What an MPI library in this process says about itself. Looked up by name: we do not link MPI.
#pragma once

namespace xccl {

enum class MpiState { kAbsent, kNotBegun, kRunning, kFinalized };

MpiState mpi_state();

}  // namespace xccl
