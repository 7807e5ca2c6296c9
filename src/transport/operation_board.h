// What a rank has published of its last operations, in a place of shared memory that is its own.
//
// One writer; any number of readers, who look only after they have waited long. A publish writes
// one cache line half and fences nothing. An entry carries a checksum of its words instead of a
// lock: a reader that catches it half written sees that the sum does not fit.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/operation.h"

namespace xccl {

// All zero bytes is a board on which nothing stands.
class OperationBoard {
  public:
    static constexpr std::size_t kEntryCount = 16;  // a power of two

    // Sequence numbers are consecutive, from 1.
    void publish(const OperationDescriptor& operation) {
        Words words{};
        std::memcpy(words.data(), &operation, sizeof operation);
        words[kWordCount - 1] = checksum(words);
        Entry& entry = entries_[operation.sequence & (kEntryCount - 1)];
        // Compilers do not unroll loops over atomics.
        entry[0].store(words[0], std::memory_order_relaxed);
        entry[1].store(words[1], std::memory_order_relaxed);
        entry[2].store(words[2], std::memory_order_relaxed);
        entry[3].store(words[3], std::memory_order_relaxed);
    }

    // The operation of that sequence number, unless it is overwritten or not there yet.
    std::optional<OperationDescriptor> at(std::uint64_t sequence) const {
        const auto found = read(entries_[sequence & (kEntryCount - 1)]);
        return found && found->sequence == sequence ? found : std::nullopt;
    }

    std::optional<OperationDescriptor> latest() const {
        std::optional<OperationDescriptor> latest;
        for (const Entry& entry : entries_) {
            const auto found = read(entry);
            if (found && (!latest || found->sequence > latest->sequence)) latest = found;
        }
        return latest;
    }

  private:
    static constexpr std::size_t kWordCount = 4;
    using Words = std::array<std::uint64_t, kWordCount>;
    using Entry = std::array<std::atomic<std::uint64_t>, kWordCount>;
    static_assert(sizeof(OperationDescriptor) == (kWordCount - 1) * sizeof(std::uint64_t));

    // Never 0 for the words of an untouched entry. Entries that differ in one word have different
    // sums. The three products do not wait for each other.
    static std::uint64_t checksum(const Words& words) {
        static_assert(kWordCount == 4);
        return 0x9e3779b97f4a7c15u + words[0] * 0xff51afd7ed558ccdu +
               words[1] * 0xc4ceb9fe1a85ec53u + words[2] * 0xbf58476d1ce4e5b9u;
    }

    static std::optional<OperationDescriptor> read(const Entry& entry) {
        Words words;
        for (std::size_t i = 0; i < kWordCount; ++i) {
            words[i] = entry[i].load(std::memory_order_relaxed);
        }
        if (words[kWordCount - 1] != checksum(words)) return std::nullopt;
        OperationDescriptor operation;
        std::memcpy(static_cast<void*>(&operation), words.data(), sizeof operation);
        return operation;
    }

    alignas(64) std::array<Entry, kEntryCount> entries_{};
};
static_assert(sizeof(OperationBoard) == 512);

}  // namespace xccl
