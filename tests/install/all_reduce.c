/* Two ranks of one process reduce together: the smallest complete program. Proves that the header
 * is C99 and that what it declares links. */
#include <stdio.h>
#include <xccl.h>

int main(void) {
    float ones[2][4] = {{1, 1, 1, 1}, {1, 1, 1, 1}};
    xcclComm_t comms[2];
    int rank, i, wrong = 0;
    if (xcclCommInitAll(comms, 2, NULL) != xcclSuccess) {
        fprintf(stderr, "%s\n", xcclGetLastError(NULL));
        return 1;
    }
    xcclGroupStart();
    for (rank = 0; rank < 2; ++rank) {
        xcclAllReduce(ones[rank], ones[rank], 4, xcclFloat32, xcclSum, comms[rank], NULL);
    }
    if (xcclGroupEnd() != xcclSuccess) return 1;
    for (rank = 0; rank < 2; ++rank) {
        for (i = 0; i < 4; ++i) wrong += ones[rank][i] != 2;
        xcclCommDestroy(comms[rank]);
    }
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
