#include "data/sampler.h"

#include "data/permutation.h"

namespace xccl::trainer {

std::uint64_t Sampler::sample_at(std::uint64_t position) const {
    const std::uint64_t key = mixed_bits(mixed_bits(seed_) ^ epoch_of(position));
    return Permutation(sample_count_, key)(position % sample_count_);
}

}  // namespace xccl::trainer
