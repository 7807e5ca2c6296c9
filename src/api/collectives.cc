// The collectives of xccl.h: each checks its arguments, says what it is in one Call, and issues it.

#include <numeric>

#include "api/boundary.h"
#include "api/comm_object.h"
#include "api/group.h"
#include "api/issue.h"
#include "api/kept_by_thread.h"
#include "api/validate.h"
#include "base/datatypes.h"

namespace xccl {
namespace {

constexpr std::int64_t kNotInPlace = INT64_MIN;

struct Arguments {
    const void* send;
    void* recv;
    std::uint64_t count;
    xcclDataType_t type;
    int root = -1;
    xcclRedOp_t op = xcclSum;
    bool combines = false;
    bool operator==(const Arguments&) const = default;
};

// How many blocks of `count` elements each buffer has on this rank (0: the buffer is ignored here),
// and where the send buffer lies in the receive buffer in place, in blocks.
struct Blocks {
    std::uint64_t send_blocks = 1;
    std::uint64_t recv_blocks = 1;
    std::int64_t in_place_block = 0;
    bool in_place = true;
};

Status check_buffers(const Arguments& a, const Blocks& blocks) {
    XCCL_ASSIGN(const std::uint64_t block, bytes_of("count", a.count, a.type));
    std::uint64_t send_bytes = 0, recv_bytes = 0;
    if (__builtin_mul_overflow(block, blocks.send_blocks, &send_bytes) ||
        __builtin_mul_overflow(block, blocks.recv_blocks, &recv_bytes)) {
        return invalid_argument(
            "count {} of {} times the number of ranks does not fit the address space", a.count,
            datatype_name(a.type));
    }
    const Region send{"sendbuff", a.send, send_bytes};
    const Region recv{"recvbuff", a.recv, recv_bytes};
    XCCL_TRY(check_region(send, false));
    XCCL_TRY(check_region(recv, true));
    return check_overlap(
        send, recv,
        blocks.in_place ? blocks.in_place_block * static_cast<std::int64_t>(block) : kNotInPlace);
}

template <typename BlocksOf>
Result<Call> checked(xcclColl_t coll, const Arguments& a, CommObject& comm, BlocksOf blocks_of) {
    XCCL_TRY(check_datatype(a.type));
    Call call;
    call.coll = coll;
    call.type = a.type;
    call.count = a.count;
    if (a.combines) XCCL_TRY(resolve_op(a.op, comm, &call));
    if (a.root != -1) {
        XCCL_TRY(check_root("root", a.root, comm.rank_count));
        call.root = a.root;
    }
    const Blocks blocks = blocks_of(comm);
    XCCL_TRY(check_buffers(a, blocks));
    call.send = blocks.send_blocks ? a.send : nullptr;
    call.recv = blocks.recv_blocks ? a.recv : nullptr;
    return call;
}

// The last call of this thread that was found good: programs repeat themselves.
struct LastGood {
    std::uint64_t comm_number = 0;
    xcclColl_t coll = xcclCollAllReduce;
    Arguments arguments{};
    Call call;
};

template <typename BlocksOf>
xcclResult_t collective(xcclColl_t coll, const Arguments& a, xcclComm_t comm, xcclStream_t stream,
                        BlocksOf blocks_of) {
    return c_boundary([&]() -> Status {
        CommTable::Pin pin = pin_if_ready(comm);
        if (__builtin_expect(!pin, 0)) {
            XCCL_ASSIGN(pin, pin_ready(comm));
        }
        LastGood& last = kept_by_thread<LastGood, BlocksOf>();
        const bool known =
            last.comm_number == pin->number && last.coll == coll && last.arguments == a;
        if (__builtin_expect(!known, 0)) {
            XCCL_ASSIGN(Call call, checked(coll, a, *pin, blocks_of));
            // An operator of the caller's may be destroyed, and its number given to another one.
            last = {call.premul ? 0 : pin->number, coll, a, std::move(call)};
        }
        return issue(pin, last.call, stream);
    });
}

// A negative root other than "none" must not pass for it.
int given_root(int root) {
    return root < 0 ? -2 : root;
}

std::uint64_t ranks(const CommObject& comm) {
    return static_cast<std::uint64_t>(comm.rank_count);
}

struct Vector {
    std::vector<std::uint64_t> counts, displacements;
    std::uint64_t extent = 0;  // elements up to the end of the last block
};

Result<Vector> vector_of(const char* name, const size_t* counts, const size_t* displacements,
                         int rank_count) {
    if (counts == nullptr)
        return invalid_argument("{} is null; it must hold one count per rank", name);
    Vector v;
    v.counts.assign(counts, counts + rank_count);
    if (displacements != nullptr) {
        v.displacements.assign(displacements, displacements + rank_count);
    } else {
        v.displacements.resize(v.counts.size());
        std::exclusive_scan(v.counts.begin(), v.counts.end(), v.displacements.begin(),
                            std::uint64_t{0});
    }
    for (int i = 0; i < rank_count; ++i) {
        std::uint64_t end = 0;
        if (__builtin_add_overflow(v.counts[i], v.displacements[i], &end)) {
            return invalid_argument("{}[{}] {} does not fit the address space", name, i,
                                    v.counts[i]);
        }
        if (v.counts[i] > 0) v.extent = std::max(v.extent, end);
    }
    return v;
}

std::shared_ptr<const VectorArguments> arguments(Vector send, Vector recv) {
    auto made = std::make_shared<VectorArguments>();
    made->send_counts = std::move(send.counts);
    made->send_displacements = std::move(send.displacements);
    made->recv_counts = std::move(recv.counts);
    made->recv_displacements = std::move(recv.displacements);
    return made;
}

}  // namespace
}  // namespace xccl

using namespace xccl;  // the C functions below are a thin skin over the namespace

extern "C" {

xcclResult_t xcclAllReduce(const void* sendbuff, void* recvbuff, size_t count,
                           xcclDataType_t datatype, xcclRedOp_t op, xcclComm_t comm,
                           xcclStream_t stream) {
    return collective(xcclCollAllReduce, {sendbuff, recvbuff, count, datatype, -1, op, true}, comm,
                      stream, [](const CommObject&) { return Blocks{}; });
}

xcclResult_t xcclReduce(const void* sendbuff, void* recvbuff, size_t count, xcclDataType_t datatype,
                        xcclRedOp_t op, int root, xcclComm_t comm, xcclStream_t stream) {
    return collective(xcclCollReduce,
                      {sendbuff, recvbuff, count, datatype, given_root(root), op, true}, comm,
                      stream, [root](const CommObject& c) {
                          return Blocks{1, c.rank == root ? 1u : 0u, 0, true};
                      });
}

xcclResult_t xcclBroadcast(const void* sendbuff, void* recvbuff, size_t count,
                           xcclDataType_t datatype, int root, xcclComm_t comm,
                           xcclStream_t stream) {
    return collective(xcclCollBroadcast, {sendbuff, recvbuff, count, datatype, given_root(root)},
                      comm, stream, [root](const CommObject& c) {
                          return Blocks{c.rank == root ? 1u : 0u, 1, 0, true};
                      });
}

xcclResult_t xcclBcast(void* buff, size_t count, xcclDataType_t datatype, int root, xcclComm_t comm,
                       xcclStream_t stream) {
    return xcclBroadcast(buff, buff, count, datatype, root, comm, stream);
}

xcclResult_t xcclAllGather(const void* sendbuff, void* recvbuff, size_t sendcount,
                           xcclDataType_t datatype, xcclComm_t comm, xcclStream_t stream) {
    return collective(xcclCollAllGather, {sendbuff, recvbuff, sendcount, datatype}, comm, stream,
                      [](const CommObject& c) {
                          return Blocks{1, ranks(c), c.rank, true};
                      });
}

xcclResult_t xcclReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount,
                               xcclDataType_t datatype, xcclRedOp_t op, xcclComm_t comm,
                               xcclStream_t stream) {
    return collective(xcclCollReduceScatter,
                      {sendbuff, recvbuff, recvcount, datatype, -1, op, true}, comm, stream,
                      [](const CommObject& c) {
                          return Blocks{ranks(c), 1, -c.rank, true};
                      });
}

xcclResult_t xcclAlltoAll(const void* sendbuff, void* recvbuff, size_t count,
                          xcclDataType_t datatype, xcclComm_t comm, xcclStream_t stream) {
    return collective(xcclCollAlltoAll, {sendbuff, recvbuff, count, datatype}, comm, stream,
                      [](const CommObject& c) {
                          return Blocks{ranks(c), ranks(c), 0, false};
                      });
}

xcclResult_t xcclGather(const void* sendbuff, void* recvbuff, size_t count, xcclDataType_t datatype,
                        int root, xcclComm_t comm, xcclStream_t stream) {
    return collective(xcclCollGather, {sendbuff, recvbuff, count, datatype, given_root(root)}, comm,
                      stream, [root](const CommObject& c) {
                          return Blocks{1, c.rank == root ? ranks(c) : 0, root, true};
                      });
}

xcclResult_t xcclScatter(const void* sendbuff, void* recvbuff, size_t count,
                         xcclDataType_t datatype, int root, xcclComm_t comm, xcclStream_t stream) {
    return collective(xcclCollScatter, {sendbuff, recvbuff, count, datatype, given_root(root)},
                      comm, stream, [root](const CommObject& c) {
                          return Blocks{c.rank == root ? ranks(c) : 0, 1, -root, true};
                      });
}

xcclResult_t xcclBarrier(xcclComm_t comm, xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
        Call call;
        call.coll = xcclCollBarrier;
        call.count = 1;
        return issue(pin, call, stream);
    });
}

xcclResult_t xcclAllGatherv(const void* sendbuff, void* recvbuff, const size_t* recvcounts,
                            const size_t* displs, xcclDataType_t datatype, xcclComm_t comm,
                            xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
        XCCL_TRY(check_datatype(datatype));
        XCCL_ASSIGN(Vector recv, vector_of("recvcounts", recvcounts, displs, pin->rank_count));
        XCCL_ASSIGN(const std::uint64_t recv_bytes,
                    bytes_of("the extent of recvbuff,", recv.extent, datatype));
        const std::size_t size = element_bytes(datatype);
        const std::uint64_t mine = recv.counts[pin->rank];
        const Region send_region{"sendbuff", sendbuff, mine * size};
        const Region recv_region{"recvbuff", recvbuff, recv_bytes};
        XCCL_TRY(check_region(send_region, false));
        XCCL_TRY(check_region(recv_region, true));
        XCCL_TRY(check_overlap(send_region, recv_region,
                               static_cast<std::int64_t>(recv.displacements[pin->rank] * size)));
        Call call;
        call.coll = xcclCollAllGatherv;
        call.type = datatype;
        call.send = sendbuff;
        call.recv = recvbuff;
        call.vectors = arguments({}, std::move(recv));
        return issue(pin, call, stream);
    });
}

xcclResult_t xcclReduceScatterv(const void* sendbuff, void* recvbuff, const size_t* recvcounts,
                                xcclDataType_t datatype, xcclRedOp_t op, xcclComm_t comm,
                                xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
        XCCL_TRY(check_datatype(datatype));
        Call call;
        call.coll = xcclCollReduceScatterv;
        call.type = datatype;
        XCCL_TRY(resolve_op(op, *pin, &call));
        XCCL_ASSIGN(Vector send, vector_of("recvcounts", recvcounts, nullptr, pin->rank_count));
        XCCL_ASSIGN(const std::uint64_t send_bytes,
                    bytes_of("the sum of recvcounts,", send.extent, datatype));
        const std::size_t size = element_bytes(datatype);
        const Region send_region{"sendbuff", sendbuff, send_bytes};
        const Region recv_region{"recvbuff", recvbuff, send.counts[pin->rank] * size};
        XCCL_TRY(check_region(send_region, false));
        XCCL_TRY(check_region(recv_region, true));
        XCCL_TRY(check_overlap(send_region, recv_region,
                               -static_cast<std::int64_t>(send.displacements[pin->rank] * size)));
        call.send = sendbuff;
        call.recv = recvbuff;
        call.vectors = arguments(std::move(send), {});
        return issue(pin, call, stream);
    });
}

xcclResult_t xcclAlltoAllv(const void* sendbuff, const size_t* sendcounts, const size_t* sdispls,
                           void* recvbuff, const size_t* recvcounts, const size_t* rdispls,
                           xcclDataType_t datatype, xcclComm_t comm, xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
        XCCL_TRY(check_datatype(datatype));
        XCCL_ASSIGN(Vector send, vector_of("sendcounts", sendcounts, sdispls, pin->rank_count));
        XCCL_ASSIGN(Vector recv, vector_of("recvcounts", recvcounts, rdispls, pin->rank_count));
        XCCL_ASSIGN(const std::uint64_t send_bytes,
                    bytes_of("the extent of sendbuff,", send.extent, datatype));
        XCCL_ASSIGN(const std::uint64_t recv_bytes,
                    bytes_of("the extent of recvbuff,", recv.extent, datatype));
        const int rank = pin->rank;
        if (send.counts[rank] != recv.counts[rank]) {
            return invalid_argument(
                "sendcounts[{}] is {} but recvcounts[{}] is {}; what a rank sends to itself it "
                "receives",
                rank, send.counts[rank], rank, recv.counts[rank]);
        }
        const Region send_region{"sendbuff", sendbuff, send_bytes};
        const Region recv_region{"recvbuff", recvbuff, recv_bytes};
        XCCL_TRY(check_region(send_region, false));
        XCCL_TRY(check_region(recv_region, true));
        XCCL_TRY(check_overlap(send_region, recv_region, kNotInPlace));
        Call call;
        call.coll = xcclCollAlltoAllv;
        call.type = datatype;
        call.send = sendbuff;
        call.recv = recvbuff;
        call.vectors = arguments(std::move(send), std::move(recv));
        return issue(pin, call, stream);
    });
}

xcclResult_t xcclSend(const void* sendbuff, size_t count, xcclDataType_t datatype, int peer,
                      xcclComm_t comm, xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
        XCCL_TRY(check_datatype(datatype));
        XCCL_TRY(check_root("peer", peer, pin->rank_count));
        XCCL_ASSIGN(const std::uint64_t bytes, bytes_of("count", count, datatype));
        XCCL_TRY(check_region({"sendbuff", sendbuff, bytes}, false));
        Call call;
        call.coll = xcclCollSendRecv;
        call.is_send = true;
        call.type = datatype;
        call.send = sendbuff;
        call.count = count;
        call.root = peer;
        return issue(pin, call, stream);
    });
}

xcclResult_t xcclRecv(void* recvbuff, size_t count, xcclDataType_t datatype, int peer,
                      xcclComm_t comm, xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
        XCCL_TRY(check_datatype(datatype));
        XCCL_TRY(check_root("peer", peer, pin->rank_count));
        XCCL_ASSIGN(const std::uint64_t bytes, bytes_of("count", count, datatype));
        XCCL_TRY(check_region({"recvbuff", recvbuff, bytes}, true));
        Call call;
        call.coll = xcclCollSendRecv;
        call.type = datatype;
        call.recv = recvbuff;
        call.count = count;
        call.root = peer;
        return issue(pin, call, stream);
    });
}

xcclResult_t xcclGroupStart(void) {
    return c_boundary([]() -> Status {
        group_start();
        return ok_status();
    });
}

xcclResult_t xcclGroupEnd(void) {
    return c_boundary(group_end);
}

}  // extern "C"
