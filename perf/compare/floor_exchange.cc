// A floor for ordinary memory: slots that go to and fro between two cores.
//
// In two_phase a line of a slot is transferred four times for what it carries: to its reader, back
// to be written anew, and the same for the sum. Here rank p's slot for rank r is written by p,
// taken by r with the right to write it, gets the sum in place of the input, and is taken back by
// p, who may then fill it again without asking: two transfers.
//
//     p: slot := part r of its input       r: output, slots := sum       p: output := slot
//
// Pipelined as two_phase: one chunk ahead with showing, one behind with fetching.
#include <algorithm>

#include "floor_phases.h"

namespace xccl::compare {
namespace {

class Exchange final : public FloorInPhases {
  public:
    Exchange(FloorSegment& segment, std::size_t slot_bytes, Stores stores)
        : FloorInPhases(std::string("exchange_")
                            .append(std::to_string(slot_bytes >> 10))
                            .append("K")
                            .append(stores == Stores::kPastCaches ? "_past" : ""),
                        segment, slot_bytes),
          stores_(stores),
          shown_(segment.take(sizeof(FloorCounter))),
          summed_(segment.take(sizeof(FloorCounter))),
          memory_(segment.take(kSlots * slot_bytes * ranks())) {}
    bool suits(const FloorWork& work, bool) const override {
        constexpr std::size_t kMostChunks = 512;
        constexpr std::size_t kLeastPastCaches = 1 << 20;
        const std::size_t chunk_bytes = slot_bytes() * ranks();
        const std::size_t bytes = work.count * sizeof(float);
        return bytes * 2 > chunk_bytes &&
               (stores_ == Stores::kOrdinary ? bytes <= chunk_bytes * kMostChunks
                                             : bytes >= kLeastPastCaches);
    }

  private:
    static constexpr std::size_t kSlots = 4;  // for each peer; 3 chunks are under way
    float* slot(int owner, std::uint64_t number, int reader) const {
        const std::size_t index = number % kSlots * ranks() + static_cast<std::size_t>(reader);
        return segment().at<float>(owner, memory_ + index * slot_bytes());
    }
    // A slot is free once this rank itself has fetched the sum from it, which it has: at most two
    // chunks are under way.
    void show(const FloorWork& work, std::size_t chunk) override {
        const std::uint64_t number = number_of(chunk);
        for (int step = 1; step < segment().rank_count(); ++step) {
            const int reader = (segment().rank() + step) % segment().rank_count();
            const Part part = part_of(work, chunk, reader);
            floor_copy(slot(segment().rank(), number, reader), work.input + part.start, part.count,
                       Stores::kOrdinary);
        }
        counter(shown_)->publish(number + 1);
    }
    void sum(const FloorWork& work, std::size_t chunk) override {
        const std::uint64_t number = number_of(chunk);
        const Part part = part_of(work, chunk, segment().rank());
        const float* from[kMostRanks];
        float* to[kMostRanks];
        for (int rank = 0; rank < segment().rank_count(); ++rank) {
            if (rank == segment().rank()) {
                from[rank] = work.input + part.start;
                to[rank] = work.output + part.start;
            } else {
                to[rank] = slot(rank, number, segment().rank());
                from[rank] = to[rank];
            }
        }
        segment().await_all(shown_, number + 1);
        (stores_ == Stores::kOrdinary ? floor_kernels().sum_taking
                                      : floor_kernels().sum_taking_past_caches)(
            to, segment().rank_count(), from, segment().rank_count(), segment().rank(), part.count);
        counter(summed_)->publish(number + 1);
    }
    void fetch(const FloorWork& work, std::size_t chunk) override {
        const std::uint64_t number = number_of(chunk);
        for (int step = 1; step < segment().rank_count(); ++step) {
            const int rank = (segment().rank() + step) % segment().rank_count();
            const Part part = part_of(work, chunk, rank);
            segment().await(segment().at<FloorCounter>(rank, summed_)->value, number + 1);
            (stores_ == Stores::kOrdinary ? floor_kernels().copy_taking
                                          : floor_kernels().copy_taking_past_caches)(
                work.output + part.start, slot(segment().rank(), number, rank), part.count);
        }
    }

    Stores stores_;
    std::size_t shown_;   // counts chunks whose parts are in this rank's slots
    std::size_t summed_;  // counts chunks of which this rank's part is summed
    std::size_t memory_;
};

}  // namespace

void add_exchange_floors(FloorSegment& segment, FloorAlgorithms& algorithms) {
    for (const std::size_t kibibytes : {4, 8, 16, 32, 64, 128}) {
        algorithms.push_back(
            std::make_unique<Exchange>(segment, kibibytes << 10, Stores::kOrdinary));
    }
    for (const std::size_t kibibytes : {16, 32, 64, 128}) {
        algorithms.push_back(
            std::make_unique<Exchange>(segment, kibibytes << 10, Stores::kPastCaches));
    }
}

}  // namespace xccl::compare
