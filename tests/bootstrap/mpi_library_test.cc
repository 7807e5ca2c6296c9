// Goal: the state of an MPI library beside us is recognised, and its absence. Method: a false one
// (fake_mpi.cc), loaded in a process of its own. Real ones: tests/launch/.
#include "bootstrap/mpi_library.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace xccl {
namespace {

int count_wrong_states() {
    void* const library = dlopen(FAKE_MPI_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) return -1;
    int& initialized = *static_cast<int*>(dlsym(library, "fake_mpi_initialized"));
    int& finalized = *static_cast<int*>(dlsym(library, "fake_mpi_finalized"));
    int wrong = mpi_state() != MpiState::kNotBegun;
    initialized = 1;
    wrong += mpi_state() != MpiState::kRunning;
    finalized = 1;
    return wrong + (mpi_state() != MpiState::kFinalized);
}

TEST(MpiLibrary, ItsStateIsAsked) {
    EXPECT_EQ(mpi_state(), MpiState::kAbsent);
    EXPECT_EXIT(_exit(count_wrong_states()), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace xccl
