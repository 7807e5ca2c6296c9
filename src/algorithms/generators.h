// The generators: each is one file named after it, and one row of the registry.
#pragma once

#include "algorithms/shape.h"
#include "schedule/schedule.h"

namespace xccl {

Schedule direct_all_reduce(const Shape& shape);
Schedule direct_two_phase_all_reduce(const Shape& shape);
Schedule ring_all_reduce(const Shape& shape);
Schedule halving_doubling_all_reduce(const Shape& shape);
Schedule double_tree_all_reduce(const Shape& shape);
Schedule binomial_all_reduce(const Shape& shape);
Schedule hierarchical_all_reduce(const Shape& shape);
Schedule leader_all_reduce(const Shape& shape);
Schedule ordered_hierarchical_all_reduce(const Shape& shape);

Schedule direct_reduce(const Shape& shape);
Schedule binomial_reduce(const Shape& shape);
Schedule chain_reduce(const Shape& shape);

Schedule direct_broadcast(const Shape& shape);
Schedule binomial_broadcast(const Shape& shape);
Schedule chain_broadcast(const Shape& shape);

Schedule direct_all_gather(const Shape& shape);
Schedule ring_all_gather(const Shape& shape);
Schedule doubling_all_gather(const Shape& shape);
Schedule bruck_all_gather(const Shape& shape);
Schedule hierarchical_all_gather(const Shape& shape);

Schedule direct_reduce_scatter(const Shape& shape);
Schedule ring_reduce_scatter(const Shape& shape);
Schedule halving_reduce_scatter(const Shape& shape);
Schedule circulant_reduce_scatter(const Shape& shape);
Schedule grid_reduce_scatter(const Shape& shape);
Schedule hierarchical_reduce_scatter(const Shape& shape);

Schedule direct_all_to_all(const Shape& shape);
Schedule pairwise_all_to_all(const Shape& shape);

Schedule direct_gather(const Shape& shape);
Schedule binomial_gather(const Shape& shape);
Schedule direct_scatter(const Shape& shape);
Schedule binomial_scatter(const Shape& shape);

Schedule dissemination_barrier(const Shape& shape);

}  // namespace xccl
