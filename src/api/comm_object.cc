#include "api/comm_object.h"

namespace xccl {

std::uint64_t CommObject::next_number() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Status check_not_forked() {
    if (__builtin_expect(!in_forked_child(), 1)) return ok_status();
    return invalid_usage(
        "this process is a child of one that has used xccl; call exec() after fork(), or start the "
        "workers before the first communicator is made");
}

namespace {

Status no_communicator(xcclComm_t comm) {
    if (comm == nullptr)
        return invalid_argument("comm is null; make it with xcclCommInitRank first");
    return invalid_argument(
        "comm {} is no communicator of this library: it was destroyed, never made, or comes from "
        "another library",
        static_cast<const void*>(comm));
}

Status not_ready(CommObject& object, xcclResult_t state) {
    if (state == xcclSuccess) {
        return invalid_usage(
            "comm was finalized; only xcclCommDestroy and the queries are allowed now");
    }
    if (state == xcclInProgress) {
        return invalid_usage(
            "comm is still being made; poll xcclCommGetAsyncError until it is not xcclInProgress");
    }
    const std::lock_guard lock(object.mutex);
    return object.init_failure;
}

}  // namespace

Result<CommTable::Pin> pin_any(xcclComm_t comm) {
    XCCL_TRY(check_not_forked());
    auto pin = comm_table().pin(comm);
    if (!pin) return no_communicator(comm);
    return pin;
}

Result<CommTable::Pin> pin_ready(xcclComm_t comm) {
    if (auto pin = pin_if_ready(comm)) return pin;
    XCCL_ASSIGN(auto pin, pin_any(comm));
    const xcclResult_t state = pin->init_state.load(std::memory_order_acquire);
    const bool finalized = pin->finalized.load(std::memory_order_relaxed);
    if (state != xcclSuccess || finalized) return not_ready(*pin, state);
    return pin;  // it has just become ready
}

}  // namespace xccl
