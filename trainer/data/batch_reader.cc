#include "data/batch_reader.h"

#include <span>

namespace xccl::trainer {

BatchReader::BatchReader(const Windows& windows, std::size_t sequence_length,
                         std::size_t max_sequences)
    : windows_(windows),
      length_(sequence_length),
      tokens_(max_sequences * sequence_length),
      targets_(max_sequences * sequence_length) {}

Batch BatchReader::training_batch(const Sampler& sampler, std::uint64_t position,
                                  std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) copy_window(sampler.sample_at(position + i), i);
    return batch(count);
}

Batch BatchReader::spread_batch(std::size_t first, std::size_t count, std::size_t total) {
    for (std::size_t i = 0; i < count; ++i) {
        copy_window((first + i) * windows_.count() / total, i);
    }
    return batch(count);
}

void BatchReader::copy_window(std::size_t window, std::size_t sequence) {
    const std::uint8_t* from = windows_.at(window);
    for (std::size_t i = 0; i < length_; ++i) {
        tokens_[sequence * length_ + i] = from[i];
        targets_[sequence * length_ + i] = from[i + 1];
    }
}

Batch BatchReader::batch(std::size_t sequence_count) const {
    const std::size_t count = sequence_count * length_;
    return {.tokens = std::span(tokens_).first(count),
            .targets = std::span(targets_).first(count),
            .sequence_count = sequence_count,
            .length = length_};
}

}  // namespace xccl::trainer
