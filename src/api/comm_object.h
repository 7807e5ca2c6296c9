// What an xcclComm_t stands for: a communicator, or one rank alone, or one that is being made.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/handle_table.h"
#include "base/status.h"
#include "comm/communicator.h"
#include "comm/process.h"

namespace xccl {

// An operator made by xcclRedOpCreatePreMulSum.
struct PremulOp {
    bool alive = false;
    xcclDataType_t type = xcclFloat32;
    Scale scale{};
};

struct CommObject {
    const std::uint64_t number = next_number();  // from 1; no other one of this process has it
    int rank = 0;
    int rank_count = 1;
    int device = -1;
    bool blocking = true;

    // Set when initialisation is over; null for a rank alone, which needs no thread, no descriptor
    // and no communicator.
    std::shared_ptr<Communicator> communicator;
    std::atomic<xcclResult_t> init_state{xcclSuccess};  // release after communicator is set
    std::atomic<bool> cancelled{false};                 // ends an initialisation that still runs
    std::thread initialiser;
    // Of a split's child: whom its making goes through. Set before the handle is known.
    std::weak_ptr<Communicator> parent;
    std::atomic<bool> finalized{false};
    std::atomic<bool> retired{false};  // destroyed or aborted; a group may still hold it

    std::mutex mutex;  // guards what follows
    Status init_failure;
    std::vector<PremulOp> premul_ops;
    std::vector<std::thread> helpers;  // take part in splits that give this rank nothing

    CommObject() = default;
    CommObject(const CommObject&) = delete;
    CommObject& operator=(const CommObject&) = delete;
    CommObject(CommObject&&) = delete;
    CommObject& operator=(CommObject&&) = delete;
    ~CommObject() {
        if (initialiser.joinable()) initialiser.join();
        for (std::thread& helper : helpers) helper.join();
    }
    static std::uint64_t next_number();
    bool alone() const { return rank_count == 1; }
};

using CommTable = HandleTable<CommObject>;
[[gnu::always_inline]] inline CommTable& comm_table() {
    static CommTable* const table = new CommTable;  // leaked: handles outlive static destructors
    return *table;
}

// In a child of fork() the threads, locks and descriptors that xccl relies on are not there.
Status check_not_forked();

// The object behind a handle, ready for operations; or why not. pin_if_ready() leaves it at null.
Result<CommTable::Pin> pin_ready(xcclComm_t comm);
// Inlined, since a call of it would cost as much again.
[[gnu::always_inline]] inline CommTable::Pin pin_if_ready(xcclComm_t comm) {
    CommTable::Pin pin;
    if (in_forked_child()) return pin;
    pin = comm_table().pin_for_work(comm);
    const bool ready = pin && pin->init_state.load(std::memory_order_acquire) == xcclSuccess &&
                       !pin->finalized.load(std::memory_order_relaxed);
    if (__builtin_expect(!ready, 0)) pin = CommTable::Pin();
    return pin;
}
// The object behind a handle in any state.
Result<CommTable::Pin> pin_any(xcclComm_t comm);

}  // namespace xccl
