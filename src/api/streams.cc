// Host streams and events of xccl.h.

#include "api/boundary.h"
#include "api/handle_table.h"
#include "api/issue.h"
#include "comm/host_stream.h"
#include "comm/process.h"
#include "comm/work.h"

namespace xccl {
namespace {

struct Event {
    std::mutex mutex;
    std::shared_ptr<EventPoint> point;  // of the last record; null: never recorded, so complete
    std::shared_ptr<HostStream> stream;
};

HandleTable<Event>& event_table() {
    static auto* const table =
        new HandleTable<Event>;  // leaked: handles outlive static destructors
    return *table;
}

Result<std::shared_ptr<Event>> event_of(xcclEvent_t event) {
    auto pin = event_table().pin(event);
    if (pin) return pin.shared();
    return invalid_argument("event {} was destroyed or never made; make it with xcclEventCreate",
                            static_cast<const void*>(event));
}

Status table_full(const char* what) {
    return system_error("no more {}: 65536 exist already; destroy some", what);
}

std::shared_ptr<Communicator> waits_for(HostStream& stream) {
    auto work = stream.head();
    return work ? work->comm : nullptr;
}

void drain(HostStream& stream) {
    wait_until([&] { return stream.advance(); }, [&] { return waits_for(stream); });
}

bool reached(Event& event) {
    const std::lock_guard lock(event.mutex);
    return event.point == nullptr || event.point->reached.load(std::memory_order_acquire);
}

}  // namespace
}  // namespace xccl

using namespace xccl;  // the C functions below are a thin skin over the namespace

extern "C" {

xcclResult_t xcclStreamCreate(xcclStream_t* stream) {
    return c_boundary([&]() -> Status {
        if (stream == nullptr)
            return invalid_argument("stream is null; it must point to where the handle goes");
        auto made = std::make_shared<HostStream>();
        void* handle = stream_table().create(made);
        if (handle == nullptr) return table_full("streams");
        enlist(made);
        *stream = static_cast<xcclStream_t>(handle);
        return ok_status();
    });
}

xcclResult_t xcclStreamDestroy(xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(auto host_stream, stream_of(stream));
        drain(*host_stream);
        host_stream.reset();
        if (stream_table().retire(stream, [](HostStream&) {}) == nullptr) {
            return invalid_argument("stream was destroyed by another thread meanwhile");
        }
        return ok_status();
    });
}

xcclResult_t xcclStreamSynchronize(xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        if (stream == nullptr)
            return ok_status();  // calls on the null stream are complete on return
        XCCL_ASSIGN(auto host_stream, stream_of(stream));
        drain(*host_stream);
        return host_stream->take_failure();
    });
}

xcclResult_t xcclStreamQuery(xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        if (stream == nullptr) return ok_status();
        XCCL_ASSIGN(auto host_stream, stream_of(stream));
        if (!host_stream->advance()) {
            advance_all();
            if (!host_stream->advance()) return Status(xcclInProgress, {});
        }
        return host_stream->take_failure();
    });
}

xcclResult_t xcclStreamGetFd(xcclStream_t stream, int* fd) {
    return c_boundary([&]() -> Status {
        if (fd == nullptr)
            return invalid_argument("fd is null; it must point to where the descriptor goes");
        XCCL_ASSIGN(auto host_stream, stream_of(stream));
        XCCL_ASSIGN(*fd, host_stream->poll_descriptor());
        return ok_status();
    });
}

xcclResult_t xcclEventCreate(xcclEvent_t* event) {
    return c_boundary([&]() -> Status {
        if (event == nullptr)
            return invalid_argument("event is null; it must point to where the handle goes");
        void* handle = event_table().create(std::make_shared<Event>());
        if (handle == nullptr) return table_full("events");
        *event = static_cast<xcclEvent_t>(handle);
        return ok_status();
    });
}

xcclResult_t xcclEventDestroy(xcclEvent_t event) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(auto found, event_of(event));
        if (event_table().retire(event, [](Event&) {}) == nullptr) {
            return invalid_argument("event was destroyed by another thread meanwhile");
        }
        return ok_status();
    });
}

xcclResult_t xcclEventRecord(xcclEvent_t event, xcclStream_t stream) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(auto found, event_of(event));
        std::shared_ptr<HostStream> host_stream;
        if (stream != nullptr) {
            XCCL_ASSIGN(host_stream, stream_of(stream));
        }
        auto point = std::make_shared<EventPoint>();
        {
            const std::lock_guard lock(found->mutex);
            found->point = point;
            found->stream = host_stream;
        }
        if (!host_stream) {
            point->reached.store(true, std::memory_order_release);
            return ok_status();
        }
        host_stream->enqueue_record(point);
        host_stream->advance();
        return ok_status();
    });
}

xcclResult_t xcclEventSynchronize(xcclEvent_t event) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(auto found, event_of(event));
        std::shared_ptr<HostStream> host_stream;
        {
            const std::lock_guard lock(found->mutex);
            host_stream = found->stream;
        }
        wait_until([&] { return reached(*found); },
                   [&] { return host_stream ? waits_for(*host_stream) : nullptr; });
        return ok_status();
    });
}

xcclResult_t xcclEventQuery(xcclEvent_t event) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(auto found, event_of(event));
        if (reached(*found)) return ok_status();
        advance_all();
        return reached(*found) ? ok_status() : Status(xcclInProgress, {});
    });
}

xcclResult_t xcclStreamWaitEvent(xcclStream_t stream, xcclEvent_t event) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(auto found, event_of(event));
        std::shared_ptr<EventPoint> point;
        {
            const std::lock_guard lock(found->mutex);
            point = found->point;
        }
        if (!point) return ok_status();
        if (stream == nullptr) return Status(xcclEventSynchronize(event), last_error());
        XCCL_ASSIGN(auto host_stream, stream_of(stream));
        host_stream->enqueue_wait(std::move(point));
        return ok_status();
    });
}

}  // extern "C"
