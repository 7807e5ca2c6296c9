// As much of an MPI library as answers the two questions that are allowed at any time. Tests set
// the answers.
#define FAKE extern "C" __attribute__((visibility("default")))

FAKE int fake_mpi_initialized;
FAKE int fake_mpi_finalized;
int fake_mpi_initialized = 0;
int fake_mpi_finalized = 0;

FAKE int MPI_Initialized(int* flag) {
    *flag = fake_mpi_initialized;
    return 0;
}

FAKE int MPI_Finalized(int* flag) {
    *flag = fake_mpi_finalized;
    return 0;
}
