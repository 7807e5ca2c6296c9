#include "bootstrap/mpi_library.h"

#include <dlfcn.h>

namespace xccl {
namespace {

using Question = int (*)(int* flag);  // both may be asked at any time, in any thread

bool answer(Question question) {
    int flag = 0;
    return question(&flag) == 0 && flag != 0;
}

}  // namespace

MpiState mpi_state() {
    const auto initialized = reinterpret_cast<Question>(dlsym(RTLD_DEFAULT, "MPI_Initialized"));
    const auto finalized = reinterpret_cast<Question>(dlsym(RTLD_DEFAULT, "MPI_Finalized"));
    if (initialized == nullptr || finalized == nullptr) return MpiState::kAbsent;
    if (answer(finalized)) return MpiState::kFinalized;
    return answer(initialized) ? MpiState::kRunning : MpiState::kNotBegun;
}

}  // namespace xccl
