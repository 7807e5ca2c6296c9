// One-shot floors for small sizes: every rank shows its input to all, and every rank sums all.
//
// Two buffers are used by turns. Who shows its input of call k + 2 has seen everybody's of call
// k + 1, and who showed that was through with call k: so nobody waits at the end of a call.
#include <algorithm>
#include <cstring>

#include "floor_algorithms.h"

namespace xccl::compare {
namespace {

// A line of 64 bytes holds 56 bytes and the number of the call, which is written last: one transfer
// between cores brings both.
class Lines final : public FloorAlgorithm {
  public:
    explicit Lines(FloorSegment& segment)
        : FloorAlgorithm("lines"), segment_(segment), offset_(segment.take(2 * kBufferBytes)) {}
    bool suits(const FloorWork& work, bool) const override {
        return work.count <= kMostLines * kFloats;
    }
    void run(const FloorWork& work) override {
        ++call_;
        show(work);
        for (std::size_t line = 0, i = 0; i < work.count; ++line, i += kFloats) {
            const std::size_t count = std::min(kFloats, work.count - i);
            if (count == kFloats) {
                sum(work, line, kFloats);
            } else {
                sum(work, line, count);
            }
        }
    }

  private:
    static constexpr std::size_t kFloats = 14;
    static constexpr std::size_t kMostLines = 512;
    struct alignas(64) Line {
        float floats[kFloats];
        std::atomic<std::uint64_t> call;
    };
    static constexpr std::size_t kBufferBytes = kMostLines * sizeof(Line);

    Line* lines(int rank) const {
        return segment_.at<Line>(rank, offset_ + (call_ % 2) * kBufferBytes);
    }
    void show(const FloorWork& work) {
        Line* own = lines(segment_.rank());
        std::size_t i = 0;
        for (; i + kFloats <= work.count; i += kFloats, ++own) {
            std::memcpy(own->floats, work.input + i, sizeof own->floats);
            own->call.store(call_, std::memory_order_release);  // pairs with await()
        }
        if (i == work.count) return;
        std::memcpy(own->floats, work.input + i, (work.count - i) * sizeof(float));
        own->call.store(call_, std::memory_order_release);  // pairs with await()
    }
    // In the order of the ranks, so that all have the same bits.
    __attribute__((always_inline)) void sum(const FloorWork& work, std::size_t line,
                                            std::size_t count) const {
        float sums[kFloats] = {};
        for (int rank = 0; rank < segment_.rank_count(); ++rank) {
            const Line& from = lines(rank)[line];
            segment_.await(from.call, call_);
            for (std::size_t j = 0; j < count; ++j) sums[j] += from.floats[j];
        }
        std::memcpy(work.output + line * kFloats, sums, count * sizeof(float));
    }

    FloorSegment& segment_;
    std::size_t offset_;
    std::uint64_t call_ = 0;
};

// The input as it is, and then the number of the call in a line of its own.
class Flagged final : public FloorAlgorithm {
  public:
    explicit Flagged(FloorSegment& segment)
        : FloorAlgorithm("flagged"),
          segment_(segment),
          counter_(segment.take(sizeof(FloorCounter))),
          buffers_(segment.take(2 * kMostBytes)) {}
    bool suits(const FloorWork& work, bool) const override {
        return work.count >= 64 && work.count * sizeof(float) <= kMostBytes;
    }
    void run(const FloorWork& work) override {
        ++call_;
        const std::size_t buffer = buffers_ + (call_ % 2) * kMostBytes;
        const int own = segment_.rank();
        floor_copy(segment_.at<float>(own, buffer), work.input, work.count, Stores::kOrdinary);
        segment_.at<FloorCounter>(own, counter_)->publish(call_);
        const float* from[kMostRanks];
        for (int rank = 0; rank < segment_.rank_count(); ++rank) {
            from[rank] = rank == own ? work.input : segment_.at<float>(rank, buffer);
        }
        segment_.await_all(counter_, call_);
        floor_sum(&work.output, 1, from, segment_.rank_count(), work.count, Stores::kOrdinary);
    }

  private:
    static constexpr std::size_t kMostBytes = 256 << 10;
    FloorSegment& segment_;
    std::size_t counter_;
    std::size_t buffers_;
    std::uint64_t call_ = 0;
};

}  // namespace

void add_small_floors(FloorSegment& segment, FloorAlgorithms& algorithms) {
    algorithms.push_back(std::make_unique<Lines>(segment));
    algorithms.push_back(std::make_unique<Flagged>(segment));
}

}  // namespace xccl::compare
