/* An MPI program hands the id over with MPI_Bcast, as programs written for NCCL do. */
#include <mpi.h>
#include <stdio.h>
#include <xccl.h>

int main(int argc, char** argv) {
    int rank, size, i, wrong = 0;
    xcclUniqueId id;
    xcclComm_t comm;
    double values[1000];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (rank == 0 && xcclGetUniqueId(&id) != xcclSuccess) {
        fprintf(stderr, "%s\n", xcclGetLastError(NULL));
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (xcclCommInitRank(&comm, size, id, rank) != xcclSuccess) {
        fprintf(stderr, "%s\n", xcclGetLastError(NULL));
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    for (i = 0; i < 1000; ++i) values[i] = rank + 1;
    if (xcclAllReduce(values, values, 1000, xcclFloat64, xcclSum, comm, NULL) != xcclSuccess)
        wrong = 1;
    for (i = 0; i < 1000; ++i) wrong += values[i] != size * (size + 1) / 2.0;
    xcclCommDestroy(comm);
    printf("rank %d of %d: %d wrong\n", rank, size, wrong);
    MPI_Finalize();
    return wrong != 0;
}
