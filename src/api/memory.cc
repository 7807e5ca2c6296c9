// Memory and registration of xccl.h.

#include "api/boundary.h"
#include "api/comm_object.h"
#include "api/validate.h"
#include "transport/shared_heap.h"

using namespace xccl;  // the C functions below are a thin skin over the namespace

extern "C" {

xcclResult_t xcclMemAlloc(void** ptr, size_t size) {
    return c_boundary([&]() -> Status {
        if (ptr == nullptr)
            return invalid_argument("ptr is null; it must point to where the address goes");
        XCCL_ASSIGN(*ptr, SharedHeap::of_this_process().allocate(size ? size : 1));
        return ok_status();
    });
}

xcclResult_t xcclMemFree(void* ptr) {
    return c_boundary([&]() -> Status {
        return ptr == nullptr ? ok_status() : SharedHeap::of_this_process().free(ptr);
    });
}

// Memory from xcclMemAlloc needs no registration, and no other is read in place: every buffer works
// with every call, and a handle is the promise that this stays so. The registration is checked and
// forgotten.
xcclResult_t xcclCommRegister(xcclComm_t comm, void* buff, size_t size, void** handle) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        if (handle == nullptr)
            return invalid_argument("handle is null; it must point to where the handle goes");
        XCCL_TRY(check_region({"buff", buff, size}, true));
        *handle = buff;
        return ok_status();
    });
}

xcclResult_t xcclCommDeregister(xcclComm_t comm, void* handle) {
    return c_boundary([&]() -> Status {
        (void)handle;
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        return ok_status();
    });
}

}  // extern "C"
