#include "api/validate.h"

#include "api/memory_probe.h"
#include "base/datatypes.h"

namespace xccl {

Status check_datatype(xcclDataType_t type) {
    if (element_bytes(type) != 0) return ok_status();
    return invalid_argument("datatype {} is unknown; it must be one of xcclDataType_t, 0 to {}",
                            static_cast<int>(type), xcclNumTypes - 1);
}

Status check_root(const char* name, int root, int rank_count) {
    if (root >= 0 && root < rank_count) return ok_status();
    return invalid_argument("{} {} is outside [0, {}), the ranks of this communicator", name, root,
                            rank_count);
}

Status resolve_op(xcclRedOp_t op, CommObject& object, Call* call) {
    call->op = op;
    if (op >= 0 && op < xcclNumOps) return ok_status();
    const std::lock_guard lock(object.mutex);
    const auto index = static_cast<std::size_t>(op) - xcclNumOps;
    if (op < 0 || index >= object.premul_ops.size() || !object.premul_ops[index].alive) {
        return invalid_argument(
            "op {} is unknown; it must be xcclSum, Prod, Max, Min, Avg or made by "
            "xcclRedOpCreatePreMulSum on this "
            "communicator",
            static_cast<int>(op));
    }
    const PremulOp& premul = object.premul_ops[index];
    if (premul.type != call->type) {
        return invalid_argument("op was made for {}, but the datatype is {}",
                                datatype_name(premul.type), datatype_name(call->type));
    }
    call->premul = true;
    call->scale = premul.scale;
    call->op = xcclSum;
    return ok_status();
}

Status check_region(const Region& region, bool written) {
    if (region.bytes == 0) return ok_status();
    if (region.data == nullptr) {
        return invalid_argument("{} is null, but {} bytes are asked for", region.name,
                                region.bytes);
    }
    if (memory_is_ours(region.data, region.bytes, written)) return ok_status();
    return invalid_argument(
        "{} [{}, + {} bytes) is not memory that this process can {}; host communicators take host "
        "memory only",
        region.name, region.data, region.bytes, written ? "write" : "read");
}

Status check_overlap(const Region& send, const Region& recv, std::int64_t in_place_offset) {
    if (send.bytes == 0 || recv.bytes == 0) return ok_status();
    const auto s = reinterpret_cast<std::uintptr_t>(send.data);
    const auto r = reinterpret_cast<std::uintptr_t>(recv.data);
    if (s >= r + recv.bytes || r >= s + send.bytes) return ok_status();
    // send == recv + offset, where the offset may be negative (recv lies inside send).
    if (in_place_offset != INT64_MIN && s == r + static_cast<std::uintptr_t>(in_place_offset))
        return ok_status();
    if (in_place_offset == INT64_MIN) {
        return invalid_argument(
            "{} [{}, + {}) and {} [{}, + {}) overlap; this operation does not work in place",
            send.name, send.data, send.bytes, recv.name, recv.data, recv.bytes);
    }
    return invalid_argument(
        "{} [{}, + {}) and {} [{}, + {}) overlap; for in place {} must be {} {} {} bytes, else "
        "they must be disjoint",
        send.name, send.data, send.bytes, recv.name, recv.data, recv.bytes, send.name, recv.name,
        in_place_offset < 0 ? "-" : "+", in_place_offset < 0 ? -in_place_offset : in_place_offset);
}

Result<std::uint64_t> bytes_of(const char* name, std::uint64_t count, xcclDataType_t type) {
    std::uint64_t bytes = 0;
    if (!__builtin_mul_overflow(count, element_bytes(type), &bytes) && bytes <= INT64_MAX)
        return bytes;
    return invalid_argument("{} {} of {} does not fit the address space", name, count,
                            datatype_name(type));
}

}  // namespace xccl
