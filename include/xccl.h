/* xccl: collective communication between ranks, on host memory and on accelerators.
 *
 * The whole public API. C99 and C++ clean. Shaped like NCCL's: the same order of arguments, the
 * same names after the prefix, the same enum values, so that s/nccl/xccl/ ports a program.
 *
 * A *communicator* joins `nranks` ranks; a rank is a process, or a thread with its own communicator
 * handle. Collectives must be called by every rank in the same order with matching arguments; a
 * mismatch is reported on every rank that notices, with both sides' values.
 *
 * Host memory: the null stream means that a call (or the outermost xcclGroupEnd) returns when the
 * operation is complete on this rank. A stream from xcclStreamCreate is an in-order queue: calls
 * return at once, buffers stay the library's until the stream gets there.
 *
 * Thread safety: every function may be called from any thread at any time. Calls on one
 * communicator from several threads are put in some order; collectives need the same order on
 * every rank, so the caller decides it. After fork() the child may exit or exec; using a
 * communicator there returns xcclInvalidUsage.
 *
 * Errors: the result says what kind, xcclGetLastError() says what happened, to whom and what to do.
 * The first failure on a communicator is kept: later calls on it return the same. Outputs named
 * "*out" are set only on success. Errors listed once here are possible everywhere:
 *   xcclInvalidArgument  null, foreign or destroyed handle; null pointer; unknown enum value
 *   xcclInvalidUsage     the call is not allowed now (inside a group, after fork, after abort)
 *   xcclSystemError      an operating system call failed; the text names it and its errno
 *   xcclInternalError    a bug in xccl
 */
#ifndef XCCL_H_
#define XCCL_H_

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XCCL_MAJOR 0
#define XCCL_MINOR 1
#define XCCL_PATCH 0
#define XCCL_VERSION(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define XCCL_VERSION_CODE XCCL_VERSION(XCCL_MAJOR, XCCL_MINOR, XCCL_PATCH)

#if defined(__GNUC__)
#define XCCL_API __attribute__((visibility("default")))
#else
#define XCCL_API
#endif

/* ---- Types ---------------------------------------------------------------------------------- */

typedef struct xcclComm* xcclComm_t;
typedef struct xcclEvent* xcclEvent_t;

/* The same type as cudaStream_t, so that the header needs no CUDA. */
typedef struct CUstream_st* xcclStream_t;

#define XCCL_UNIQUE_ID_BYTES 128
/* Address of a rendezvous and a secret. Opaque; copy the bytes by any means. Whoever holds it can
 * join, so hand it over as you would a password. */
typedef struct {
    char internal[XCCL_UNIQUE_ID_BYTES];
} xcclUniqueId;

typedef enum {
    xcclSuccess = 0,
    xcclUnhandledCudaError = 1,
    xcclSystemError = 2,
    xcclInternalError = 3,
    xcclInvalidArgument = 4,
    xcclInvalidUsage = 5,
    xcclRemoteError = 6, /* a peer died, aborted or broke its connection */
    xcclInProgress = 7,  /* a non-blocking communicator is not ready yet */
    xcclTimeout = 8,     /* a deadline passed */
    xcclNumResults = 9
} xcclResult_t;

typedef enum {
    xcclInt8 = 0,
    xcclChar = 0,
    xcclUint8 = 1,
    xcclInt32 = 2,
    xcclInt = 2,
    xcclUint32 = 3,
    xcclInt64 = 4,
    xcclUint64 = 5,
    xcclFloat16 = 6,
    xcclHalf = 6,
    xcclFloat32 = 7,
    xcclFloat = 7,
    xcclFloat64 = 8,
    xcclDouble = 8,
    xcclBfloat16 = 9,
    xcclFloat8e4m3 = 10, /* OCP E4M3: no infinity, maximum 448 */
    xcclFloat8e5m2 = 11, /* OCP E5M2 */
    xcclNumTypes = 12
} xcclDataType_t;

/* Integers wrap; integer avg is the wrapped sum divided by the number of ranks, truncated towards
 * zero. Floating avg scales each input by 1/nranks first. 16- and 8-bit floats accumulate in
 * float32 and round once per hop. min and max order -0 below +0 and turn any NaN into one NaN. */
typedef enum {
    xcclSum = 0,
    xcclProd = 1,
    xcclMax = 2,
    xcclMin = 3,
    xcclAvg = 4,
    xcclNumOps = 5, /* the first value that xcclRedOpCreatePreMulSum may return */
    xcclMaxRedOp = 0x7fffffff
} xcclRedOp_t;

typedef enum { xcclScalarDevice = 0, xcclScalarHostImmediate = 1 } xcclScalarResidence_t;

/* Names of the collectives, for xcclExplain. */
typedef enum {
    xcclCollAllReduce = 0,
    xcclCollReduce = 1,
    xcclCollBroadcast = 2,
    xcclCollAllGather = 3,
    xcclCollReduceScatter = 4,
    xcclCollAlltoAll = 5,
    xcclCollGather = 6,
    xcclCollScatter = 7,
    xcclCollBarrier = 8,
    xcclCollAllGatherv = 9,
    xcclCollReduceScatterv = 10,
    xcclCollAlltoAllv = 11,
    xcclCollSendRecv = 12,
    xcclNumColls = 13
} xcclColl_t;

#define XCCL_CONFIG_UNDEF_INT INT_MIN
#define XCCL_CONFIG_UNDEF_PTR NULL
#define XCCL_CONFIG_MAGIC 0x7863636cu
#define XCCL_SPLIT_NOCOLOR (-1)

/* How to make a communicator. Start from XCCL_CONFIG_INITIALIZER; an undefined field takes the
 * value of its XCCL_* setting, or its default. The structure may grow: `size` says what the caller
 * knows. */
typedef struct {
    size_t size;
    unsigned int magic;
    unsigned int version;
    int blocking;         /* 1 (default): calls return when done. 0: they may return xcclInProgress;
                             poll xcclCommGetAsyncError */
    int timeoutMs;        /* deadline of each operation in milliseconds; 0 (default): none */
    int initTimeoutMs;    /* deadline of each phase of initialisation; default 60000 */
    int reproducible;     /* 1: results do not depend on algorithm, transport or placement */
    int splitShare;       /* accepted; children of a split share nothing yet */
    const char* netName;  /* interfaces to use, as XCCL_SOCKET_IFNAME: "eth0,=ib0,^docker" */
    const char* commName; /* a name for log lines and dumps; copied */
} xcclConfig_t;

#define XCCL_CONFIG_INITIALIZER                                                            \
    {                                                                                      \
        sizeof(xcclConfig_t), XCCL_CONFIG_MAGIC, XCCL_VERSION_CODE, XCCL_CONFIG_UNDEF_INT, \
            XCCL_CONFIG_UNDEF_INT, XCCL_CONFIG_UNDEF_INT, XCCL_CONFIG_UNDEF_INT,           \
            XCCL_CONFIG_UNDEF_INT, XCCL_CONFIG_UNDEF_PTR, XCCL_CONFIG_UNDEF_PTR            \
    }

/* Where this process stands in its job, as its launcher tells. */
typedef struct {
    size_t size; /* set to sizeof(xcclLaunchInfo_t) before the call */
    int rank;
    int nranks;
    int localRank;
    int localRanks;
    char launcher[32]; /* "xccl-run", "openmpi", "torchrun", "slurm", "pmi", "pmix", "none" */
} xcclLaunchInfo_t;

/* Gathers `bytes` from every rank: `recv` is [nranks][bytes], in rank order. Returns 0 on success.
 */
typedef int (*xcclAllGatherFn_t)(void* context, const void* send, void* recv, size_t bytes);

/* ---- Version and errors --------------------------------------------------------------------- */

/* Sets *version to XCCL_VERSION_CODE of the library that is loaded. */
XCCL_API xcclResult_t xcclGetVersion(int* version);

/* A short text for a result code. Never null; owned by the library. */
XCCL_API const char* xcclGetErrorString(xcclResult_t result);

/* What went wrong last: on `comm` if it is not null, else in this thread. Names the cause, the rank
 * and the next step. Empty if nothing did. Owned by the library; valid until this thread's next
 * call into it. */
XCCL_API const char* xcclGetLastError(xcclComm_t comm);

/* ---- Finding each other --------------------------------------------------------------------- */

/* Opens a rendezvous in this process and describes it in *id. One id makes one communicator.
 * The rendezvous lives until the communicator is made or its deadline passes.
 *   xcclSystemError  no usable network interface (XCCL_SOCKET_IFNAME chooses one); port in use */
XCCL_API xcclResult_t xcclGetUniqueId(xcclUniqueId* id);

/* Tells rank and size from XCCL_RANK/XCCL_SIZE, Open MPI, torchrun, Slurm, PMI or PMIx, in this
 * order; rank 0 of 1 without a launcher. */
XCCL_API xcclResult_t xcclGetLaunchInfo(xcclLaunchInfo_t* info);

/* The id that all processes of this job share, without MPI or files: process 0 makes it, the rest
 * get it from xccl-run, the launcher's key-value service, a socket of this host, or XCCL_ROOT with
 * XCCL_SECRET or XCCL_SECRET_FILE, whichever comes first. Collective over the processes of the job;
 * the k-th call in each process gets the k-th id.
 *   xcclInvalidUsage  the job spans hosts and there is no secret: the text says how to give one
 *   xcclTimeout       process 0 did not appear in time */
XCCL_API xcclResult_t xcclGetJobUniqueId(xcclUniqueId* id);

/* ---- Communicators -------------------------------------------------------------------------- */

/* Makes this rank's handle of a communicator of `nranks`; returns when all ranks have arrived.
 * Inside a group several ranks of one process (or thread) can be made together.
 *   xcclInvalidArgument  nranks < 1, rank outside [0, nranks), damaged id
 *   xcclInvalidUsage     the id was used before, or two ranks claim the same number
 *   xcclTimeout          not all ranks came within initTimeoutMs; names those missing
 * Cost: a few milliseconds on one host. One rank alone: under 5 us, no thread, no descriptor. */
XCCL_API xcclResult_t xcclCommInitRank(xcclComm_t* comm, int nranks, xcclUniqueId id, int rank);
XCCL_API xcclResult_t xcclCommInitRankConfig(xcclComm_t* comm, int nranks, xcclUniqueId id,
                                             int rank, const xcclConfig_t* config);

/* As xcclCommInitRankConfig, with `nids` rendezvous that share the load; the same list in the same
 * order on every rank. Rank r meets at ids[r * nids / nranks]. */
XCCL_API xcclResult_t xcclCommInitRankScalable(xcclComm_t* comm, int nranks, int rank, int nids,
                                               const xcclUniqueId* ids, const xcclConfig_t* config);

/* As xcclCommInitRankConfig, but the ranks meet through `allgather`, which is called a few times
 * from this thread. For callers who have a trusted channel already (MPI, a store). */
XCCL_API xcclResult_t xcclCommInitRankAllGather(xcclComm_t* comm, int nranks, int rank,
                                                xcclAllGatherFn_t allgather, void* context,
                                                const xcclConfig_t* config);

/* Makes all `ndev` ranks of a communicator in this process; comms is [ndev]. `devlist` is [ndev] of
 * device numbers, or null; on host memory it is kept for xcclCommCuDevice and means nothing else.
 */
XCCL_API xcclResult_t xcclCommInitAll(xcclComm_t* comms, int ndev, const int* devlist);

/* Makes communicators out of the ranks of `comm` that give the same `color`, ordered by `key`, then
 * by rank. Collective over `comm`. XCCL_SPLIT_NOCOLOR (or any negative): takes part, gets null.
 * `config` null: as the parent. */
XCCL_API xcclResult_t xcclCommSplit(xcclComm_t comm, int color, int key, xcclComm_t* newcomm,
                                    const xcclConfig_t* config);

/* Completes what was issued, collectively; afterwards only destroy and the queries are allowed. On
 * xcclSuccess all ranks have made the same calls, and no message is left over.
 *   xcclInvalidUsage  calls of two ranks differ, up to the very last one, of which a rank may have
 *                     sent its part and known nothing; or a send met no receive (over TCP: one that
 *                     has arrived). Every rank is told, with both sides' values. So is a receive,
 *                     or a send of more than a mailbox holds, that waits for a rank which is in
 *                     here: at once where memory is shared, after 10 s over TCP.
 *   xcclRemoteError   a rank died, aborted, or destroyed its handle without this call */
XCCL_API xcclResult_t xcclCommFinalize(xcclComm_t comm);

/* Completes what this rank issued and releases the handle. Local: does not wait for peers, so a
 * difference in the last calls may pass unnoticed; call xcclCommFinalize before. */
XCCL_API xcclResult_t xcclCommDestroy(xcclComm_t comm);

/* Ends pending operations on every rank with an error and releases the handle. Never waits for a
 * peer; may be called while other threads are inside calls on `comm`: they return. A communicator
 * that a split is still making takes its parent along: the split goes through calls on that. */
XCCL_API xcclResult_t xcclCommAbort(xcclComm_t comm);

/* xcclSuccess, xcclInProgress, or the first failure. Lock-free, cheap, callable from any thread. */
XCCL_API xcclResult_t xcclCommGetAsyncError(xcclComm_t comm, xcclResult_t* async_error);

XCCL_API xcclResult_t xcclCommCount(xcclComm_t comm, int* count);
XCCL_API xcclResult_t xcclCommUserRank(xcclComm_t comm, int* rank);
/* The device given at initialisation; -1 for host memory without one. */
XCCL_API xcclResult_t xcclCommCuDevice(xcclComm_t comm, int* device);

/* ---- Memory --------------------------------------------------------------------------------- */

/* Page-aligned host memory of `size` bytes, zeroed, in huge pages where the system offers them. Any
 * buffer works with every call; memory from here is faster among ranks of one host: what a rank
 * sends out of it the others read where it lies, without a copy on the way. Free it with
 * xcclMemFree. A child of fork() shares it with its parent.
 *   errors   xcclInvalidArgument  ptr is null, or size does not fit the address space; of Free:
 *                                 ptr is not from here, or was freed already
 *            xcclSystemError      there is no memory */
XCCL_API xcclResult_t xcclMemAlloc(void** ptr, size_t size);
XCCL_API xcclResult_t xcclMemFree(void* ptr);

/* Announces that [buff, buff + size) will be used often on `comm`. Never needed for correctness. */
XCCL_API xcclResult_t xcclCommRegister(xcclComm_t comm, void* buff, size_t size, void** handle);
XCCL_API xcclResult_t xcclCommDeregister(xcclComm_t comm, void* handle);

/* ---- Collectives -----------------------------------------------------------------------------
 * Common to all:
 *   buffers  host memory of the caller, any alignment. sendbuff is read, recvbuff is written.
 *            They may be equal where "in place" is said, and must not overlap otherwise.
 *            Where a count is 0 the pointer may be null.
 *   counts   elements, not bytes; may exceed 2^31.
 *   return   null stream: complete on this rank. Host stream: queued, buffers are the library's
 *            until the stream gets there. Between GroupStart and GroupEnd: at the outermost End.
 *   errors   xcclInvalidArgument  null or overlapping buffer, unknown datatype or op, bad root
 *            xcclInvalidUsage     ranks disagree on the arguments; both sides' values are named
 *            xcclRemoteError      a peer died or aborted; rank, host and operation are named
 *            xcclTimeout          the deadline passed; names the rank that was waited for
 */

/* Combines `count` elements from every rank with `op`; every rank receives the full result.
 *   sendbuff [count], recvbuff [count]; in place: equal.
 * Cost: 2 (n-1)/n * count elements sent per rank for large counts, about log2(n) latencies for
 * small. */
XCCL_API xcclResult_t xcclAllReduce(const void* sendbuff, void* recvbuff, size_t count,
                                    xcclDataType_t datatype, xcclRedOp_t op, xcclComm_t comm,
                                    xcclStream_t stream);

/* As xcclAllReduce, but only `root` receives. recvbuff [count] on root, ignored elsewhere. */
XCCL_API xcclResult_t xcclReduce(const void* sendbuff, void* recvbuff, size_t count,
                                 xcclDataType_t datatype, xcclRedOp_t op, int root, xcclComm_t comm,
                                 xcclStream_t stream);

/* Copies root's sendbuff [count] to recvbuff [count] of every rank. sendbuff is ignored elsewhere.
 */
XCCL_API xcclResult_t xcclBroadcast(const void* sendbuff, void* recvbuff, size_t count,
                                    xcclDataType_t datatype, int root, xcclComm_t comm,
                                    xcclStream_t stream);
/* The same, in place. */
XCCL_API xcclResult_t xcclBcast(void* buff, size_t count, xcclDataType_t datatype, int root,
                                xcclComm_t comm, xcclStream_t stream);

/* Concatenates sendbuff [sendcount] of all ranks in recvbuff [nranks][sendcount] on every rank.
 * In place: sendbuff == recvbuff + rank * sendcount. */
XCCL_API xcclResult_t xcclAllGather(const void* sendbuff, void* recvbuff, size_t sendcount,
                                    xcclDataType_t datatype, xcclComm_t comm, xcclStream_t stream);

/* Combines sendbuff [nranks][recvcount]; rank r receives block r in recvbuff [recvcount].
 * In place: recvbuff == sendbuff + rank * recvcount. */
XCCL_API xcclResult_t xcclReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount,
                                        xcclDataType_t datatype, xcclRedOp_t op, xcclComm_t comm,
                                        xcclStream_t stream);

/* Block j of sendbuff [nranks][count] goes to rank j; recvbuff [nranks][count] gets block i from
 * rank i. Not in place. */
XCCL_API xcclResult_t xcclAlltoAll(const void* sendbuff, void* recvbuff, size_t count,
                                   xcclDataType_t datatype, xcclComm_t comm, xcclStream_t stream);

/* Concatenates sendbuff [count] of all ranks in recvbuff [nranks][count] on `root`. In place on
 * root: sendbuff == recvbuff + root * count. */
XCCL_API xcclResult_t xcclGather(const void* sendbuff, void* recvbuff, size_t count,
                                 xcclDataType_t datatype, int root, xcclComm_t comm,
                                 xcclStream_t stream);

/* Block r of root's sendbuff [nranks][count] goes to recvbuff [count] of rank r. In place on root:
 * recvbuff == sendbuff + root * count. */
XCCL_API xcclResult_t xcclScatter(const void* sendbuff, void* recvbuff, size_t count,
                                  xcclDataType_t datatype, int root, xcclComm_t comm,
                                  xcclStream_t stream);

/* As xcclAllGather with recvcounts[r] elements from rank r, placed at recvbuff + displs[r]. This
 * rank sends recvcounts[rank]. `recvcounts`, `displs`: [nranks] elements, the same counts on every
 * rank, read before the call returns. displs null: packed. In place: sendbuff == recvbuff +
 * displs[rank]. */
XCCL_API xcclResult_t xcclAllGatherv(const void* sendbuff, void* recvbuff, const size_t* recvcounts,
                                     const size_t* displs, xcclDataType_t datatype, xcclComm_t comm,
                                     xcclStream_t stream);

/* As xcclReduceScatter with recvcounts[r] elements for rank r; sendbuff [sum of recvcounts]. */
XCCL_API xcclResult_t xcclReduceScatterv(const void* sendbuff, void* recvbuff,
                                         const size_t* recvcounts, xcclDataType_t datatype,
                                         xcclRedOp_t op, xcclComm_t comm, xcclStream_t stream);

/* sendcounts[j] elements at sendbuff + sdispls[j] go to rank j; recvcounts[i] elements from rank i
 * arrive at recvbuff + rdispls[i]. sendcounts[j] here equals recvcounts[rank] there. Displacements
 * null: packed. Not in place. */
XCCL_API xcclResult_t xcclAlltoAllv(const void* sendbuff, const size_t* sendcounts,
                                    const size_t* sdispls, void* recvbuff, const size_t* recvcounts,
                                    const size_t* rdispls, xcclDataType_t datatype, xcclComm_t comm,
                                    xcclStream_t stream);

/* No rank passes before all have come. */
XCCL_API xcclResult_t xcclBarrier(xcclComm_t comm, xcclStream_t stream);

/* Point to point. The k-th send to a peer meets the k-th receive from this rank there; count and
 * datatype must match. Sends to and receives from several peers progress together inside a group;
 * outside, a blocking exchange of two ranks that both send first may wait for ever. */
XCCL_API xcclResult_t xcclSend(const void* sendbuff, size_t count, xcclDataType_t datatype,
                               int peer, xcclComm_t comm, xcclStream_t stream);
XCCL_API xcclResult_t xcclRecv(void* recvbuff, size_t count, xcclDataType_t datatype, int peer,
                               xcclComm_t comm, xcclStream_t stream);

/* Calls between Start and the matching End are issued together at the outermost End: collectives in
 * order per communicator, point-to-point all at once, several communicators side by side. Groups
 * nest; the depth is per thread. GroupEnd returns the first failure. */
XCCL_API xcclResult_t xcclGroupStart(void);
XCCL_API xcclResult_t xcclGroupEnd(void);

/* An operator that multiplies this rank's input by *scalar (of `datatype`), rounds it to
 * `datatype`, and sums. The scalar is read at once (HostImmediate) or when the operation runs
 * (Device: on host memory, when it is issued). */
XCCL_API xcclResult_t xcclRedOpCreatePreMulSum(xcclRedOp_t* op, void* scalar,
                                               xcclDataType_t datatype,
                                               xcclScalarResidence_t residence, xcclComm_t comm);
/* May be called as soon as the operations that use it are issued. */
XCCL_API xcclResult_t xcclRedOpDestroy(xcclRedOp_t op, xcclComm_t comm);

/* ---- Host streams ---------------------------------------------------------------------------- */

/* An in-order queue of operations on host memory. Whoever waits on it makes progress; a worker of
 * low priority does when nobody waits. */
XCCL_API xcclResult_t xcclStreamCreate(xcclStream_t* stream);
/* Completes what is queued, then releases. */
XCCL_API xcclResult_t xcclStreamDestroy(xcclStream_t stream);
/* Returns when all that was queued is complete; the first failure of it, if any. */
XCCL_API xcclResult_t xcclStreamSynchronize(xcclStream_t stream);
/* xcclSuccess when the stream is empty, else xcclInProgress; never blocks, and does a bounded
 * amount of progress, so that compute loops can poll it. */
XCCL_API xcclResult_t xcclStreamQuery(xcclStream_t stream);
/* A descriptor that polls readable while the stream is empty. Owned by the stream. */
XCCL_API xcclResult_t xcclStreamGetFd(xcclStream_t stream, int* fd);

XCCL_API xcclResult_t xcclEventCreate(xcclEvent_t* event);
XCCL_API xcclResult_t xcclEventDestroy(xcclEvent_t event);
/* The event is complete when all that is queued on `stream` now is complete. */
XCCL_API xcclResult_t xcclEventRecord(xcclEvent_t event, xcclStream_t stream);
XCCL_API xcclResult_t xcclEventSynchronize(xcclEvent_t event);
XCCL_API xcclResult_t xcclEventQuery(xcclEvent_t event);
/* What is queued on `stream` from now on starts after the event's last record is complete. */
XCCL_API xcclResult_t xcclStreamWaitEvent(xcclStream_t stream, xcclEvent_t event);

/* ---- Seeing inside --------------------------------------------------------------------------- */

/* The plan for an operation, as JSON: algorithm, lanes, tile and chunk bytes, rounds, bytes sent
 * per rank and between hosts, predicted microseconds, and every candidate's prediction. `buffer` is
 * [*length] bytes; *length becomes the length needed with its terminating zero.
 *   xcclInvalidArgument  the buffer is too short; *length says what is needed */
XCCL_API xcclResult_t xcclExplain(xcclComm_t comm, xcclColl_t coll, size_t count,
                                  xcclDataType_t datatype, xcclRedOp_t op, int root, char* buffer,
                                  size_t* length);

/* The flight recorder as JSON: the last operations with their state and times, the bytes that each
 * transport carried, the ranks that are late. Times are null of small operations that did not wait
 * long: the clock was not looked at. Buffer and length as for xcclExplain. */
XCCL_API xcclResult_t xcclCommDump(xcclComm_t comm, char* buffer, size_t* length);

#ifdef __cplusplus
}
#endif

#endif /* XCCL_H_ */
