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

#include "floor_algorithms.h"

namespace xccl::compare {
namespace {

class Exchange final : public FloorAlgorithm {
  public:
    Exchange(FloorSegment& segment, std::size_t slot_bytes, Stores stores)
        : FloorAlgorithm(std::string("exchange_")
                             .append(std::to_string(slot_bytes >> 10))
                             .append("K")
                             .append(stores == Stores::kPastCaches ? "_past" : "")),
          segment_(segment),
          slot_bytes_(slot_bytes),
          stores_(stores),
          ranks_(static_cast<std::size_t>(segment.rank_count())),
          shown_(segment.take(sizeof(FloorCounter))),
          summed_(segment.take(sizeof(FloorCounter))),
          memory_(segment.take(kSlots * slot_bytes * ranks_)) {}
    bool suits(const FloorWork& work, bool) const override {
        constexpr std::size_t kMostChunks = 512;
        const std::size_t chunk_bytes = slot_bytes_ * ranks_;
        const std::size_t bytes = work.count * sizeof(float);
        return bytes * 2 > chunk_bytes && bytes <= chunk_bytes * kMostChunks &&
               (stores_ == Stores::kOrdinary || bytes >= 1 << 20);
    }
    void run(const FloorWork& work) override {
        const std::size_t whole = slot_floats() * ranks_;
        const std::size_t chunks = (work.count + whole - 1) / whole;
        show(work, 0);
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
            if (chunk + 1 < chunks) show(work, chunk + 1);
            sum(work, chunk);
            if (chunk > 0) fetch(work, chunk - 1);
        }
        fetch(work, chunks - 1);
        done_ += chunks;
    }

  private:
    static constexpr std::size_t kSlots = 4;  // for each peer; 3 chunks are under way
    struct Part {
        std::size_t start = 0;
        std::size_t count = 0;
    };
    std::size_t slot_floats() const { return slot_bytes_ / sizeof(float); }
    Part part_of(const FloorWork& work, std::size_t chunk, int rank) const {
        constexpr std::size_t kLine = 16;
        const std::size_t first = chunk * slot_floats() * ranks_;
        const std::size_t whole = std::min(slot_floats() * ranks_, work.count - first);
        const std::size_t share = ((whole + ranks_ - 1) / ranks_ + kLine - 1) / kLine * kLine;
        const std::size_t start = std::min(share * static_cast<std::size_t>(rank), whole);
        return {.start = first + start, .count = std::min(share, whole - start)};
    }
    float* slot(int owner, std::uint64_t number, int reader) const {
        const std::size_t index = number % kSlots * ranks_ + static_cast<std::size_t>(reader);
        return segment_.at<float>(owner, memory_ + index * slot_bytes_);
    }
    FloorCounter* counter(std::size_t offset) const {
        return segment_.at<FloorCounter>(segment_.rank(), offset);
    }
    // A slot is free once this rank itself has fetched the sum from it, which it has: at most two
    // chunks are under way.
    void show(const FloorWork& work, std::size_t chunk) {
        const std::uint64_t number = done_ + chunk;
        for (int step = 1; step < segment_.rank_count(); ++step) {
            const int reader = (segment_.rank() + step) % segment_.rank_count();
            const Part part = part_of(work, chunk, reader);
            floor_copy(slot(segment_.rank(), number, reader), work.input + part.start, part.count,
                       Stores::kOrdinary);
        }
        counter(shown_)->publish(number + 1);
    }
    void sum(const FloorWork& work, std::size_t chunk) {
        const std::uint64_t number = done_ + chunk;
        const Part part = part_of(work, chunk, segment_.rank());
        const float* from[kMostRanks];
        float* to[kMostRanks];
        for (int rank = 0; rank < segment_.rank_count(); ++rank) {
            if (rank == segment_.rank()) {
                from[rank] = work.input + part.start;
                to[rank] = work.output + part.start;
            } else {
                to[rank] = slot(rank, number, segment_.rank());
                from[rank] = to[rank];
            }
        }
        segment_.await_all(shown_, number + 1);
        floor_kernels().sum_taking(to, segment_.rank_count(), from, segment_.rank_count(),
                                   segment_.rank(), part.count);
        counter(summed_)->publish(number + 1);
    }
    void fetch(const FloorWork& work, std::size_t chunk) {
        const std::uint64_t number = done_ + chunk;
        for (int step = 1; step < segment_.rank_count(); ++step) {
            const int rank = (segment_.rank() + step) % segment_.rank_count();
            const Part part = part_of(work, chunk, rank);
            segment_.await(segment_.at<FloorCounter>(rank, summed_)->value, number + 1);
            (stores_ == Stores::kOrdinary ? floor_kernels().copy_taking
                                          : floor_kernels().copy_taking_past_caches)(
                work.output + part.start, slot(segment_.rank(), number, rank), part.count);
        }
    }

    FloorSegment& segment_;
    std::size_t slot_bytes_;
    Stores stores_;
    std::size_t ranks_;
    std::size_t shown_;   // counts chunks whose parts are in this rank's slots
    std::size_t summed_;  // counts chunks of which this rank's part is summed
    std::size_t memory_;
    std::uint64_t done_ = 0;  // chunks of all calls before
};

}  // namespace

void add_exchange_floors(FloorSegment& segment, FloorAlgorithms& algorithms) {
    for (const std::size_t kibibytes : {4, 8, 16, 32, 64, 128}) {
        algorithms.push_back(
            std::make_unique<Exchange>(segment, kibibytes << 10, Stores::kOrdinary));
    }
    for (const std::size_t kibibytes : {32, 128}) {
        algorithms.push_back(
            std::make_unique<Exchange>(segment, kibibytes << 10, Stores::kPastCaches));
    }
}

}  // namespace xccl::compare
