// What xccl.h tells: versions, errors, the launch, operators, plans and the flight recorder.

#include <cstring>

#include "api/boundary.h"
#include "api/comm_object.h"
#include "api/validate.h"
#include "base/datatypes.h"
#include "base/float_types.h"
#include "bootstrap/bootstrap.h"

namespace xccl {
namespace {

// Why the communicator failed; empty if it did not, or is none.
std::string failure_text(xcclComm_t comm) {
    const auto pin = comm_table().pin(comm);
    if (!pin) return {};
    if (pin->init_state.load(std::memory_order_acquire) == xcclSuccess) {
        return pin->communicator ? pin->communicator->failure().text() : std::string();
    }
    const std::lock_guard lock(pin->mutex);
    return pin->init_failure.text();
}

// Copies a text out under the length protocol of xcclExplain and xcclCommDump.
Status copy_out(const std::string& text, char* buffer, size_t* length) {
    if (length == nullptr)
        return invalid_argument("length is null; it must hold the size of buffer");
    const size_t room = *length;
    *length = text.size() + 1;
    if (buffer == nullptr || room < text.size() + 1) {
        return invalid_argument("buffer has {} bytes, {} are needed; *length says so now",
                                buffer ? room : 0, text.size() + 1);
    }
    std::memcpy(buffer, text.c_str(), text.size() + 1);
    return ok_status();
}

template <typename T>
T read_as(const void* data) {
    T value;
    std::memcpy(&value, data, sizeof value);
    return value;
}

Result<Scale> read_scalar(const void* scalar, xcclDataType_t type) {
    const auto integer = [](auto value) { return Scale{0, static_cast<std::uint64_t>(value)}; };
    const auto floating = [](double value) { return Scale{value, 0}; };
    switch (static_cast<int>(type)) {
        case xcclInt8:
            return integer(read_as<std::int8_t>(scalar));
        case xcclUint8:
            return integer(read_as<std::uint8_t>(scalar));
        case xcclInt32:
            return integer(read_as<std::int32_t>(scalar));
        case xcclUint32:
            return integer(read_as<std::uint32_t>(scalar));
        case xcclInt64:
            return integer(read_as<std::int64_t>(scalar));
        case xcclUint64:
            return integer(read_as<std::uint64_t>(scalar));
        case xcclFloat32:
            return floating(read_as<float>(scalar));
        case xcclFloat64:
            return floating(read_as<double>(scalar));
        case xcclFloat16:
            return floating(widen(read_as<Float16>(scalar)));
        case xcclBfloat16:
            return floating(widen(read_as<Bfloat16>(scalar)));
        case xcclFloat8e4m3:
            return floating(widen(read_as<Float8e4m3>(scalar)));
        case xcclFloat8e5m2:
            return floating(widen(read_as<Float8e5m2>(scalar)));
        default:
            return check_datatype(type);
    }
}

Status create_premul(xcclRedOp_t* op, const void* scalar, xcclDataType_t type,
                     xcclScalarResidence_t residence, xcclComm_t comm) {
    if (op == nullptr)
        return invalid_argument("op is null; it must point to where the operator goes");
    if (scalar == nullptr)
        return invalid_argument("scalar is null; it must point to one element of the datatype");
    if (residence != xcclScalarDevice && residence != xcclScalarHostImmediate) {
        return invalid_argument(
            "residence {} is unknown; it must be xcclScalarDevice or xcclScalarHostImmediate",
            static_cast<int>(residence));
    }
    XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
    XCCL_TRY(check_datatype(type));
    XCCL_TRY(check_region({"scalar", scalar, element_bytes(type)}, false));
    XCCL_ASSIGN(const Scale scale, read_scalar(scalar, type));
    const std::lock_guard lock(pin->mutex);
    auto& ops = pin->premul_ops;
    std::size_t index = 0;
    while (index < ops.size() && ops[index].alive) ++index;
    if (index == ops.size()) ops.emplace_back();
    ops[index] = {true, type, scale};
    *op = static_cast<xcclRedOp_t>(xcclNumOps + static_cast<int>(index));
    return ok_status();
}

Status destroy_op(xcclRedOp_t op, xcclComm_t comm) {
    XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
    const std::lock_guard lock(pin->mutex);
    const auto index = static_cast<std::size_t>(op) - xcclNumOps;
    if (op < xcclNumOps || index >= pin->premul_ops.size() || !pin->premul_ops[index].alive) {
        return invalid_argument(
            "op {} was not made by xcclRedOpCreatePreMulSum on this communicator",
            static_cast<int>(op));
    }
    pin->premul_ops[index].alive = false;
    return ok_status();
}

Status launch_info(xcclLaunchInfo_t* info) {
    if (info == nullptr)
        return invalid_argument("info is null; it must point to where the answer goes");
    if (info->size != sizeof(xcclLaunchInfo_t)) {
        return invalid_argument(
            "info->size is {}; set it to sizeof(xcclLaunchInfo_t), {}, before the call", info->size,
            sizeof(xcclLaunchInfo_t));
    }
    XCCL_ASSIGN(const LaunchInfo launch, detect_launch());
    info->rank = launch.rank;
    info->nranks = launch.size;
    info->localRank = launch.local_rank;
    info->localRanks = launch.local_size;
    std::snprintf(info->launcher, sizeof info->launcher, "%s", launch.launcher.c_str());
    return ok_status();
}

Status explain(xcclComm_t comm, Call call, xcclRedOp_t op, char* buffer, size_t* length) {
    XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
    if (coll_name(call.coll) == nullptr) {
        return invalid_argument("coll {} is unknown; it must be one of xcclColl_t",
                                static_cast<int>(call.coll));
    }
    XCCL_TRY(check_datatype(call.type));
    XCCL_TRY(resolve_op(op, *pin, &call));
    XCCL_TRY(check_root("root", call.root, pin->rank_count));
    if (pin->alone()) return copy_out(R"({"algorithm":"copy","ranks":1})", buffer, length);
    XCCL_ASSIGN(const std::string text, pin->communicator->explain(call));
    return copy_out(text, buffer, length);
}

}  // namespace
}  // namespace xccl

using namespace xccl;  // the C functions below are a thin skin over the namespace

extern "C" {

xcclResult_t xcclGetVersion(int* version) {
    return c_boundary([&]() -> Status {
        if (version == nullptr)
            return invalid_argument("version is null; it must point to where the number goes");
        *version = XCCL_VERSION_CODE;
        return ok_status();
    });
}

const char* xcclGetErrorString(xcclResult_t result) {
    switch (static_cast<int>(result)) {
        case xcclSuccess:
            return "no error";
        case xcclUnhandledCudaError:
            return "unhandled CUDA error";
        case xcclSystemError:
            return "system error";
        case xcclInternalError:
            return "internal error";
        case xcclInvalidArgument:
            return "invalid argument";
        case xcclInvalidUsage:
            return "invalid usage";
        case xcclRemoteError:
            return "remote error: a peer failed";
        case xcclInProgress:
            return "operation in progress";
        case xcclTimeout:
            return "timeout";
        default:
            return "unknown result code";
    }
}

const char* xcclGetLastError(xcclComm_t comm) {
    thread_local std::string text;
    std::string of_comm = failure_text(comm);
    if (of_comm.empty()) return last_error().c_str();  // what was returned before stays
    text = std::move(of_comm);
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.InnerPointer): the text lives as long as its thread
    return text.c_str();
}

xcclResult_t xcclGetLaunchInfo(xcclLaunchInfo_t* info) {
    return c_boundary([&] { return launch_info(info); });
}

xcclResult_t xcclGetJobUniqueId(xcclUniqueId* id) {
    return c_boundary([&]() -> Status {
        if (id == nullptr)
            return invalid_argument("id is null; it must point to where the id goes");
        XCCL_ASSIGN(*id, job_unique_id());
        return ok_status();
    });
}

xcclResult_t xcclRedOpCreatePreMulSum(xcclRedOp_t* op, void* scalar, xcclDataType_t datatype,
                                      xcclScalarResidence_t residence, xcclComm_t comm) {
    return c_boundary([&] { return create_premul(op, scalar, datatype, residence, comm); });
}

xcclResult_t xcclRedOpDestroy(xcclRedOp_t op, xcclComm_t comm) {
    return c_boundary([&] { return destroy_op(op, comm); });
}

xcclResult_t xcclExplain(xcclComm_t comm, xcclColl_t coll, size_t count, xcclDataType_t datatype,
                         xcclRedOp_t op, int root, char* buffer, size_t* length) {
    Call call;
    call.coll = coll;
    call.count = count;
    call.type = datatype;
    call.root = root;
    return c_boundary([&] { return explain(comm, call, op, buffer, length); });
}

xcclResult_t xcclCommDump(xcclComm_t comm, char* buffer, size_t* length) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        if (pin->init_state.load(std::memory_order_acquire) != xcclSuccess || !pin->communicator) {
            return copy_out(R"({"operations":[]})", buffer, length);
        }
        return copy_out(pin->communicator->dump(), buffer, length);
    });
}

}  // extern "C"
