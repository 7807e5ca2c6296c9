// All-reduce through leaders: the lowest rank of each node reduces what its node has, the leaders
// all-reduce, and each broadcasts to its node.
#pragma once

#include "algorithms/shape.h"
#include "schedule/schedule.h"

namespace xccl {

// `among_leaders`: an all-reduce that names work chunks only.
Schedule all_reduce_through_leaders(const Shape& shape, Schedule (*among_leaders)(const Shape&));

}  // namespace xccl
