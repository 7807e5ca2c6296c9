#include "run/processes.h"

#include "run/library_call.h"

namespace xccl::perf {

Processes::Processes(Stopper* stopper) {
    info_.size = sizeof info_;
    require(xcclGetLaunchInfo(&info_));
    if (info_.nranks == 1) return;
    xcclUniqueId id;
    require(xcclGetJobUniqueId(&id));
    require(xcclCommInitRank(&control_, info_.nranks, id, info_.rank));
    stopper->watch(control_);
}

std::vector<std::byte> Processes::gather_bytes(const void* mine, std::size_t bytes) const {
    std::vector<std::byte> all(bytes * static_cast<std::size_t>(count()));
    if (control_ != nullptr) {
        require(xcclAllGather(mine, all.data(), bytes, xcclUint8, control_, nullptr), control_);
    } else if (bytes > 0) {
        std::memcpy(all.data(), mine, bytes);
    }
    return all;
}

}  // namespace xccl::perf
