// Making, splitting and ending communicators: the life cycle in xccl.h.

#include <cstring>

#include "api/boundary.h"
#include "api/comm_object.h"
#include "api/group.h"
#include "api/options.h"
#include "base/quiet_thread.h"
#include "bootstrap/bootstrap.h"
#include "bootstrap/root.h"
#include "comm/initialise.h"
#include "comm/local_exchange.h"
#include "comm/process.h"

namespace xccl {
namespace {

using Made = Result<std::shared_ptr<Communicator>>;

// Publishes what an initialisation came to.
Status settle(CommObject& object, Made made) {
    if (made.ok()) {
        object.communicator = std::move(made).value();
        object.init_state.store(xcclSuccess, std::memory_order_release);
        return ok_status();
    }
    Status failure = made.status();
    const std::lock_guard lock(object.mutex);
    object.init_failure = failure;
    object.init_state.store(failure.code(), std::memory_order_release);
    return failure;
}

Result<xcclComm_t> new_handle(std::shared_ptr<CommObject> object) {
    void* handle = comm_table().create(std::move(object));
    if (handle == nullptr)
        return system_error("no more communicators: 65536 exist already; destroy some");
    return static_cast<xcclComm_t>(handle);
}

void forget(xcclComm_t handle) {
    comm_table().retire(handle, [](CommObject&) {});
}

std::shared_ptr<CommObject> object_for(int rank, int rank_count,
                                       const CommunicatorOptions& options) {
    auto object = std::make_shared<CommObject>();
    object->rank = rank;
    object->rank_count = rank_count;
    object->device = options.device;
    object->blocking = options.blocking;
    return object;
}

// Runs `make` now, at the end of the group, or on a thread of its own, and puts the handle in
// *comm.
Status start(std::shared_ptr<CommObject> object, const std::function<Made(CommObject&)>& make,
             xcclComm_t* comm) {
    if (object->alone()) {
        XCCL_ASSIGN(*comm, new_handle(std::move(object)));
        return ok_status();
    }
    object->init_state.store(xcclInProgress, std::memory_order_relaxed);
    XCCL_ASSIGN(const xcclComm_t handle, new_handle(object));
    CommObject* raw = object.get();
    if (!object->blocking) {
        object->initialiser = quiet_thread([raw, make] { (void)settle(*raw, make(*raw)); });
        *comm = handle;
        return Status(xcclInProgress, {});
    }
    if (in_group()) {
        group_add_init([object, make] { return settle(*object, make(*object)); });
        *comm = handle;
        return ok_status();
    }
    Status status = settle(*object, make(*object));
    if (!status.ok()) {
        object.reset();
        forget(handle);
        return status;
    }
    *comm = handle;
    return ok_status();
}

Status check_ranks(const xcclComm_t* comm, int nranks, int rank) {
    if (comm == nullptr)
        return invalid_argument("comm is null; it must point to where the handle goes");
    XCCL_TRY(check_not_forked());
    if (nranks < 1)
        return invalid_argument("nranks {} is not positive; a communicator has at least one rank",
                                nranks);
    if (nranks > kMaxRanks)
        return invalid_argument("nranks {} is above the limit of {}", nranks, kMaxRanks);
    if (rank < 0 || rank >= nranks)
        return invalid_argument("rank {} is outside [0, nranks {})", rank, nranks);
    return ok_status();
}

Status init_by_ids(xcclComm_t* comm, int nranks, int rank, std::vector<xcclUniqueId> ids,
                   const xcclConfig_t* config) {
    XCCL_TRY(check_ranks(comm, nranks, rank));
    if (nranks == 1) {  // the ids are not needed: clients make self-communicators without one
        for (const xcclUniqueId& id : ids) end_root(id);
        XCCL_ASSIGN(const CommunicatorOptions options, options_for_one(config));
        return start(object_for(rank, nranks, options), {}, comm);
    }
    XCCL_ASSIGN(const CommunicatorOptions options, options_from(config));
    auto make = [ids = std::move(ids), rank, nranks, options](CommObject& object) {
        return initialise_by_ids(ids, rank, nranks, options, &object.cancelled);
    };
    return start(object_for(rank, nranks, options), std::move(make), comm);
}

Status init_all(xcclComm_t* comms, int ndev, const int* devlist) {
    if (comms == nullptr)
        return invalid_argument("comms is null; it must hold one handle per device");
    XCCL_TRY(check_ranks(comms, ndev, 0));
    XCCL_ASSIGN(CommunicatorOptions options, options_from(nullptr));
    auto table = LocalExchange::make_table(ndev);
    std::vector<std::shared_ptr<CommObject>> objects;
    for (int rank = 0; rank < ndev; ++rank) {
        options.device = devlist ? devlist[rank] : -1;
        objects.push_back(object_for(rank, ndev, options));
    }
    std::vector<Status> results(objects.size());
    if (ndev > 1) {
        std::vector<std::thread> threads;
        threads.reserve(ndev);
        for (int rank = 0; rank < ndev; ++rank) {
            threads.emplace_back([&, rank] {
                LocalExchange exchange(table, rank);
                results[rank] = settle(*objects[rank],
                                       initialise(exchange, options, &objects[rank]->cancelled));
            });
        }
        for (auto& thread : threads) thread.join();
    }
    for (auto& result : results) XCCL_TRY(result);
    for (int rank = 0; rank < ndev; ++rank) {
        XCCL_ASSIGN(comms[rank], new_handle(std::move(objects[rank])));
    }
    return ok_status();
}

Status split_alone(CommObject& parent, int color, xcclComm_t* newcomm) {
    if (color < 0) {
        *newcomm = nullptr;
        return ok_status();
    }
    CommunicatorOptions options;
    options.device = parent.device;
    return start(object_for(0, 1, options), {}, newcomm);
}

// A rank without a color takes part and gets nothing.
Status split_without_child(CommObject& parent, int key, const CommunicatorOptions& options) {
    auto take_part = [comm = parent.communicator, key, options, &parent] {
        return split(*comm, XCCL_SPLIT_NOCOLOR, key, options, &parent.cancelled).status();
    };
    if (!options.blocking) {
        const std::lock_guard lock(parent.mutex);
        parent.helpers.push_back(quiet_thread([take_part] { (void)take_part(); }));
        return ok_status();
    }
    if (!in_group()) return take_part();
    group_add_init(take_part);
    return ok_status();
}

Status split_handle(xcclComm_t comm, int color, int key, xcclComm_t* newcomm,
                    const xcclConfig_t* config) {
    if (newcomm == nullptr)
        return invalid_argument("newcomm is null; it must point to where the handle goes");
    XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
    if (pin->alone()) return split_alone(*pin, color, newcomm);
    CommunicatorOptions options = pin->communicator->options();
    if (config != nullptr) {
        XCCL_ASSIGN(options, options_from(config));
    }
    if (color < 0) {
        XCCL_TRY(split_without_child(*pin, key, options));
        *newcomm = nullptr;
        return ok_status();
    }
    // How many ranks the child has is known only at the end, so the object is completed then.
    auto object = object_for(0, 2, options);
    object->device = pin->device;
    object->parent = pin->communicator;
    auto make = [parent = pin->communicator, color, key, options](CommObject& child) -> Made {
        auto result = split(*parent, color, key, options, &child.cancelled);
        if (!result.ok()) return result.status();
        child.rank = result->rank;
        child.rank_count = result->rank_count;
        return result->communicator;
    };
    return start(std::move(object), std::move(make), newcomm);
}

// Ends an initialisation that still runs. That of a split's child waits in calls on its parent,
// which cannot be taken back: the parent goes with it.
void cancel(CommObject& object) {
    object.cancelled.store(true, std::memory_order_relaxed);
    if (object.init_state.load(std::memory_order_acquire) != xcclInProgress) return;
    const std::shared_ptr<Communicator> parent = object.parent.lock();
    if (!parent) return;
    parent->fail(remote_error("{} aborted a communicator that a split was making",
                              parent->membership().name_of(parent->rank())));
}

Status destroy(xcclComm_t comm) {
    {
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        const xcclResult_t state = pin->init_state.load(std::memory_order_acquire);
        if (state == xcclInProgress) cancel(*pin);
        if (state == xcclSuccess && pin->communicator) pin->communicator->drain();
    }
    auto object = comm_table().retire(comm, [](CommObject&) {});
    if (object == nullptr)
        return invalid_argument("comm was destroyed by another thread meanwhile");
    object->retired.store(true, std::memory_order_release);
    if (object->initialiser.joinable()) object->initialiser.join();
    if (object->communicator) object->communicator->leave();
    return ok_status();
}

Status abort_handle(xcclComm_t comm) {
    { XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm)); }
    auto object = comm_table().retire(comm, [](CommObject& inside) {
        cancel(inside);
        if (inside.init_state.load(std::memory_order_acquire) == xcclSuccess &&
            inside.communicator) {
            inside.communicator->abort();
        }
    });
    if (object == nullptr)
        return invalid_argument("comm was destroyed by another thread meanwhile");
    object->retired.store(true, std::memory_order_release);
    if (object->initialiser.joinable()) object->initialiser.join();
    if (object->communicator) {
        object->communicator->abort();
        object->communicator->leave();
    }
    return ok_status();
}

}  // namespace
}  // namespace xccl

using namespace xccl;  // the C functions below are a thin skin over the namespace

extern "C" {

xcclResult_t xcclGetUniqueId(xcclUniqueId* id) {
    return c_boundary([&]() -> Status {
        if (id == nullptr)
            return invalid_argument("id is null; it must point to where the id goes");
        XCCL_ASSIGN(*id, create_root());
        return ok_status();
    });
}

xcclResult_t xcclCommInitRank(xcclComm_t* comm, int nranks, xcclUniqueId id, int rank) {
    return c_boundary([&] { return init_by_ids(comm, nranks, rank, {id}, nullptr); });
}

xcclResult_t xcclCommInitRankConfig(xcclComm_t* comm, int nranks, xcclUniqueId id, int rank,
                                    const xcclConfig_t* config) {
    return c_boundary([&] { return init_by_ids(comm, nranks, rank, {id}, config); });
}

xcclResult_t xcclCommInitRankScalable(xcclComm_t* comm, int nranks, int rank, int nids,
                                      const xcclUniqueId* ids, const xcclConfig_t* config) {
    return c_boundary([&]() -> Status {
        if (nids < 1 || ids == nullptr) {
            return invalid_argument("nids {} with ids {}: at least one id is needed", nids,
                                    static_cast<const void*>(ids));
        }
        if (nids > nranks) return invalid_argument("nids {} is more than nranks {}", nids, nranks);
        return init_by_ids(comm, nranks, rank, std::vector<xcclUniqueId>(ids, ids + nids), config);
    });
}

xcclResult_t xcclCommInitRankAllGather(xcclComm_t* comm, int nranks, int rank,
                                       xcclAllGatherFn_t allgather, void* context,
                                       const xcclConfig_t* config) {
    return c_boundary([&]() -> Status {
        XCCL_TRY(check_ranks(comm, nranks, rank));
        if (allgather == nullptr)
            return invalid_argument("allgather is null; it must be a function that gathers");
        XCCL_ASSIGN(const CommunicatorOptions options, options_from(config));
        auto make = [=](CommObject& object) -> Made {
            XCCL_ASSIGN(const auto exchange, exchange_through(allgather, context, rank, nranks));
            return initialise(*exchange, options, &object.cancelled);
        };
        return start(object_for(rank, nranks, options), std::move(make), comm);
    });
}

xcclResult_t xcclCommInitAll(xcclComm_t* comms, int ndev, const int* devlist) {
    return c_boundary([&] { return init_all(comms, ndev, devlist); });
}

xcclResult_t xcclCommSplit(xcclComm_t comm, int color, int key, xcclComm_t* newcomm,
                           const xcclConfig_t* config) {
    return c_boundary([&] { return split_handle(comm, color, key, newcomm, config); });
}

xcclResult_t xcclCommFinalize(xcclComm_t comm) {
    return c_boundary([&]() -> Status {
        XCCL_ASSIGN(CommTable::Pin pin, pin_ready(comm));
        if (!pin->alone()) XCCL_TRY(pin->communicator->finalize());
        pin->finalized.store(true, std::memory_order_relaxed);
        return ok_status();
    });
}

xcclResult_t xcclCommDestroy(xcclComm_t comm) {
    return c_boundary([&] { return destroy(comm); });
}

xcclResult_t xcclCommAbort(xcclComm_t comm) {
    return c_boundary([&] { return abort_handle(comm); });
}

xcclResult_t xcclCommGetAsyncError(xcclComm_t comm, xcclResult_t* async_error) {
    return c_boundary([&]() -> Status {
        if (async_error == nullptr)
            return invalid_argument("async_error is null; it must point to where the result goes");
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        xcclResult_t state = pin->init_state.load(std::memory_order_acquire);
        if (state == xcclSuccess && pin->communicator) {
            pin->communicator->watch();
            state = pin->communicator->failure_code();
        }
        *async_error = state;
        return ok_status();
    });
}

xcclResult_t xcclCommCount(xcclComm_t comm, int* count) {
    return c_boundary([&]() -> Status {
        if (count == nullptr)
            return invalid_argument("count is null; it must point to where the number goes");
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        *count = pin->rank_count;
        return ok_status();
    });
}

xcclResult_t xcclCommUserRank(xcclComm_t comm, int* rank) {
    return c_boundary([&]() -> Status {
        if (rank == nullptr)
            return invalid_argument("rank is null; it must point to where the number goes");
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        *rank = pin->rank;
        return ok_status();
    });
}

xcclResult_t xcclCommCuDevice(xcclComm_t comm, int* device) {
    return c_boundary([&]() -> Status {
        if (device == nullptr)
            return invalid_argument("device is null; it must point to where the number goes");
        XCCL_ASSIGN(CommTable::Pin pin, pin_any(comm));
        *device = pin->device;
        return ok_status();
    });
}

}  // extern "C"
