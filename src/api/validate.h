// Catches the caller's mistakes at the door: each check names the argument and both values.
#pragma once

#include <cstdint>

#include "api/comm_object.h"
#include "base/status.h"
#include "comm/call.h"

namespace xccl {

// A region of the caller's memory.
struct Region {
    const char* name;
    const void* data;
    std::uint64_t bytes;
};

Status check_datatype(xcclDataType_t type);
Status check_root(const char* name, int root, int rank_count);

// Fills op, premul and scale of the call from the caller's operator.
Status resolve_op(xcclRedOp_t op, CommObject& object, Call* call);

// Not null unless empty, and memory that this process may read (or write).
Status check_region(const Region& region, bool written);

// `allowed` bytes into `outer`, `inner` may lie (in place); otherwise they must not overlap.
Status check_overlap(const Region& send, const Region& recv, std::int64_t in_place_offset);

// count * size, or an error where that does not fit the address space.
Result<std::uint64_t> bytes_of(const char* name, std::uint64_t count, xcclDataType_t type);

}  // namespace xccl
