#include "bootstrap/pmix_library.h"

#include <dlfcn.h>

namespace xccl::pmix {
namespace {

template <typename Function>
bool find(void* handle, const char* name, Function* function) {
    *function = reinterpret_cast<Function>(dlsym(handle, name));
    return *function != nullptr;
}

}  // namespace

Result<Library> open_library() {
    // Never closed. RTLD_LOCAL: its symbols are nobody else's business; the plug-ins that it opens
    // in turn name it as their dependency.
    void* const handle = dlopen("libpmix.so.2", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return system_error("libpmix.so.2 cannot be opened: {}", dlerror());
    Library library{};
    const bool complete = find(handle, "PMIx_Init", &library.init) &&
                          find(handle, "PMIx_Finalize", &library.finalize) &&
                          find(handle, "PMIx_Put", &library.put) &&
                          find(handle, "PMIx_Commit", &library.commit) &&
                          find(handle, "PMIx_Fence_nb", &library.fence) &&
                          find(handle, "PMIx_Get_nb", &library.get) &&
                          find(handle, "PMIx_Error_string", &library.error_text);
    if (!complete) return system_error("libpmix.so.2 lacks a function: {}", dlerror());
    return library;
}

}  // namespace xccl::pmix
