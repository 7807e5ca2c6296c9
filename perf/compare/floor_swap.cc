// A floor for small and middle sizes and a power of two of ranks: pairs that swap buffers.
//
// Recursive doubling: in step s a rank exchanges what it has with rank ^ 2^s, and adds. Each pair
// has two buffers. A rank takes the lines of what it reads with the right to write them, and shows
// its own data in just that buffer the next time: so its writes ask nobody, and each line is
// transferred once for what it carries. Nobody waits at the end: who writes a buffer is who read it
// last.
#include <bit>

#include "floor_algorithms.h"

namespace xccl::compare {
namespace {

class Swap final : public FloorAlgorithm {
  public:
    explicit Swap(FloorSegment& segment)
        : FloorAlgorithm("swap"),
          segment_(segment),
          counters_(segment.take(kMostSteps * sizeof(FloorCounter))),
          buffers_(segment.take(kMostSteps * kMostBytes)) {}
    bool suits(const FloorWork& work, bool) const override {
        return std::has_single_bit(static_cast<unsigned>(segment_.rank_count())) &&
               work.count * sizeof(float) <= kMostBytes;
    }
    void run(const FloorWork& work) override {
        ++call_;
        floor_copy(mine(0), work.input, work.count, Stores::kOrdinary);
        const float* have = work.input;
        const int steps = std::countr_zero(static_cast<unsigned>(segment_.rank_count()));
        for (int step = 0; step < steps; ++step) {
            counter(segment_.rank(), step)->publish(call_);
            const int peer = segment_.rank() ^ (1 << step);
            const bool is_last = step + 1 == steps;
            float* const to[] = {work.output, is_last ? nullptr : mine(step + 1)};
            const float* const from[] = {have, theirs(step)};
            segment_.await(counter(peer, step)->value, call_);
            floor_kernels().sum_taking(to, is_last ? 1 : 2, from, 2, 0, work.count);
            have = work.output;
        }
    }

  private:
    static constexpr int kMostSteps = 4;
    static constexpr std::size_t kMostBytes = 256 << 10;

    FloorCounter* counter(int rank, int step) const {
        return segment_.at<FloorCounter>(rank, counters_) + step;
    }
    // The pair's buffers are one in each rank's region; they change their roles with each call.
    float* buffer(int step, bool is_of_peer) const {
        const int rank = is_of_peer ? segment_.rank() ^ (1 << step) : segment_.rank();
        return segment_.at<float>(rank, buffers_ + static_cast<std::size_t>(step) * kMostBytes);
    }
    float* mine(int step) const { return buffer(step, call_ % 2 != 0); }
    float* theirs(int step) const { return buffer(step, call_ % 2 == 0); }

    FloorSegment& segment_;
    std::size_t counters_;
    std::size_t buffers_;
    std::uint64_t call_ = 0;
};

}  // namespace

void add_swap_floors(FloorSegment& segment, FloorAlgorithms& algorithms) {
    algorithms.push_back(std::make_unique<Swap>(segment));
}

}  // namespace xccl::compare
