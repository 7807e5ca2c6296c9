#include "api/issue.h"

#include "api/group.h"
#include "comm/process.h"
#include "comm/solo.h"
#include "comm/work.h"

namespace xccl {

StreamTable& stream_table() {
    static StreamTable* const table =
        new StreamTable;  // leaked: handles outlive static destructors
    return *table;
}

Result<std::shared_ptr<HostStream>> stream_of(xcclStream_t stream) {
    auto pin = stream_table().pin(stream);
    if (pin) return pin.shared();
    return invalid_argument(
        "stream {} is no host stream of this library; make it with xcclStreamCreate, or pass null "
        "to wait in the call",
        static_cast<const void*>(stream));
}

Status run_alone(CommObject& comm, const Call& call, const std::shared_ptr<HostStream>& stream) {
    (void)comm;
    if (stream)
        wait_until([&] { return stream->advance(); },
                   [&] {
                       auto work = stream->head();
                       return work ? work->comm : nullptr;
                   });
    return run_solo(call);
}

Status issue_elsewhere(const CommTable::Pin& comm, const Call& call, xcclStream_t stream) {
    std::shared_ptr<HostStream> host_stream;
    if (stream != nullptr) {
        XCCL_ASSIGN(host_stream, stream_of(stream));
    }
    if (in_group()) {
        group_add(comm.shared(), call, std::move(host_stream));
        return ok_status();
    }
    if (comm->alone()) return run_alone(*comm, call, host_stream);
    Communicator& communicator = *comm->communicator;
    XCCL_TRY(communicator.failure());
    auto work = std::make_shared<Work>();
    work->comm = comm->communicator;
    work->call = call;
    host_stream->enqueue(work);
    communicator.issue(work);
    host_stream->advance();  // lets it start, if nothing is before it
    communicator.advance();
    return ok_status();
}

}  // namespace xccl
