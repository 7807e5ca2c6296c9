// Copies samples of the text into the arrays that the model reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/corpus.h"
#include "data/sampler.h"
#include "model/gpt2.h"

namespace xccl::trainer {

class BatchReader {
  public:
    // What `windows` points to must outlive it. Batches have up to max_sequences of them.
    BatchReader(const Windows& windows, std::size_t sequence_length, std::size_t max_sequences);

    // The samples at `count` positions from `position` on. Valid until the next call.
    Batch training_batch(const Sampler& sampler, std::uint64_t position, std::size_t count);
    // Windows [first, first + count) of `total` that are spread evenly over all.
    Batch spread_batch(std::size_t first, std::size_t count, std::size_t total);

  private:
    void copy_window(std::size_t window, std::size_t sequence);
    Batch batch(std::size_t sequence_count) const;

    Windows windows_;
    std::size_t length_;
    std::vector<Token> tokens_;   // [max_sequences, length]
    std::vector<Token> targets_;  // the same, one byte on
};

}  // namespace xccl::trainer
