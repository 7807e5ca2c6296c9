// Memory and registration of xccl.h.

#include <sys/mman.h>

#include <cerrno>
#include <map>
#include <mutex>

#include "api/boundary.h"
#include "api/comm_object.h"
#include "api/validate.h"

namespace xccl {
namespace {

constexpr std::size_t kSmallPage = 4096;
constexpr std::size_t kHugePage = 2u << 20;

struct Allocations {
    std::mutex mutex;
    std::map<void*, std::size_t> bytes;
};

Allocations& allocations() {
    static auto* const instance = new Allocations;  // leaked: memory may be freed at exit
    return *instance;
}

std::size_t rounded(std::size_t size, std::size_t unit) {
    return (size + unit - 1) / unit * unit;
}

Result<void*> map_memory(std::size_t size, std::size_t* mapped) {
    if (size > SIZE_MAX / 2)
        return invalid_argument("size {} does not fit the address space", size);
    *mapped = rounded(size, size >= kHugePage ? kHugePage : kSmallPage);
    void* memory =
        mmap(nullptr, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return system_error("{}: {} bytes are not to be had; free some memory or ask for less",
                            errno_text("mmap", errno), size);
    }
    if (size >= kHugePage)
        madvise(memory, *mapped, MADV_HUGEPAGE);  // a hint; plain pages do as well
    return memory;
}

}  // namespace
}  // namespace xccl

using namespace xccl;  // the C functions below are a thin skin over the namespace

extern "C" {

xcclResult_t xcclMemAlloc(void** ptr, size_t size) {
    return c_boundary([&]() -> Status {
        if (ptr == nullptr)
            return invalid_argument("ptr is null; it must point to where the address goes");
        std::size_t mapped = kSmallPage;
        XCCL_ASSIGN(void* memory, map_memory(size ? size : 1, &mapped));
        const std::lock_guard lock(allocations().mutex);
        allocations().bytes[memory] = mapped;
        *ptr = memory;
        return ok_status();
    });
}

xcclResult_t xcclMemFree(void* ptr) {
    return c_boundary([&]() -> Status {
        if (ptr == nullptr) return ok_status();
        std::size_t mapped = 0;
        {
            const std::lock_guard lock(allocations().mutex);
            const auto found = allocations().bytes.find(ptr);
            if (found == allocations().bytes.end()) {
                return invalid_argument("ptr {} is not from xcclMemAlloc, or was freed already",
                                        ptr);
            }
            mapped = found->second;
            allocations().bytes.erase(found);
        }
        if (munmap(ptr, mapped) != 0) return system_error("{}", errno_text("munmap", errno));
        return ok_status();
    });
}

// Registered memory is treated as any other so far: every buffer works with every call, and a
// handle is the promise that this stays so. The registration is checked and forgotten.
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
