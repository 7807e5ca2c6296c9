// Floors for ordinary memory of any size: through slots of the shared memory that stay in the
// caches.
//
//   one_shot    every rank copies its input into slots, and sums everybody's into its output
//   two_phase   rank r gets part r of everybody through slots, sums it, and shows the sum in a slot
//
// In both a rank is one chunk ahead with showing its input, so that nobody waits for who has just
// begun; two_phase fetches sums one chunk behind, for the same reason.
#include <algorithm>

#include "floor_phases.h"

namespace xccl::compare {
namespace {

struct SlotShape {
    std::size_t slot_bytes = 0;
    std::size_t slots = 2;
    Stores stores = Stores::kOrdinary;  // of the output

    std::size_t slot_floats() const { return slot_bytes / sizeof(float); }
    std::string name(std::string stem) const {
        stem.append("_").append(std::to_string(slot_bytes >> 10)).append("K_");
        stem.append(std::to_string(slots));
        return stem.append(stores == Stores::kPastCaches ? "_past" : "");
    }
    // A few chunks for the pipeline, but not so many that their flags count for more than they do.
    bool suits(std::size_t bytes, std::size_t chunk_bytes) const {
        constexpr std::size_t kLeastPastCaches = 1 << 20;
        constexpr std::size_t kMostChunks = 1024;
        return bytes * 2 > chunk_bytes && bytes <= chunk_bytes * kMostChunks &&
               (stores == Stores::kOrdinary || bytes >= kLeastPastCaches);
    }
};

class OneShot final : public FloorAlgorithm {
  public:
    OneShot(FloorSegment& segment, SlotShape shape)
        : FloorAlgorithm(shape.name("one_shot")),
          segment_(segment),
          shape_(shape),
          shown_(segment.take(sizeof(FloorCounter))),
          summed_(segment.take(sizeof(FloorCounter))),
          slots_(segment.take(shape.slots * shape.slot_bytes)) {}
    bool suits(const FloorWork& work, bool) const override {
        return shape_.suits(work.count * sizeof(float), shape_.slot_bytes);
    }
    void run(const FloorWork& work) override {
        const std::size_t chunks = (work.count + shape_.slot_floats() - 1) / shape_.slot_floats();
        show(work, 0);
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
            if (chunk + 1 < chunks) show(work, chunk + 1);
            sum(work, chunk);
        }
        done_ += chunks;
    }

  private:
    std::size_t slot(std::uint64_t number) const {
        return slots_ + number % shape_.slots * shape_.slot_bytes;
    }
    std::size_t count_of(const FloorWork& work, std::size_t chunk) const {
        return std::min(shape_.slot_floats(), work.count - chunk * shape_.slot_floats());
    }
    void show(const FloorWork& work, std::size_t chunk) {
        const std::uint64_t number = done_ + chunk;
        if (number >= shape_.slots) segment_.await_all(summed_, number + 1 - shape_.slots);
        floor_copy(segment_.at<float>(segment_.rank(), slot(number)),
                   work.input + chunk * shape_.slot_floats(), count_of(work, chunk),
                   Stores::kOrdinary);
        segment_.at<FloorCounter>(segment_.rank(), shown_)->publish(number + 1);
    }
    void sum(const FloorWork& work, std::size_t chunk) {
        const std::uint64_t number = done_ + chunk;
        const std::size_t start = chunk * shape_.slot_floats();
        const float* from[kMostRanks];
        for (int rank = 0; rank < segment_.rank_count(); ++rank) {
            from[rank] = segment_.at<float>(rank, slot(number));
        }
        float* to = work.output + start;
        segment_.await_all(shown_, number + 1);
        floor_sum(&to, 1, from, segment_.rank_count(), count_of(work, chunk), shape_.stores);
        segment_.at<FloorCounter>(segment_.rank(), summed_)->publish(number + 1);
    }

    FloorSegment& segment_;
    SlotShape shape_;
    std::size_t shown_;   // counts chunks that are in this rank's slots
    std::size_t summed_;  // counts chunks that this rank has read from all slots
    std::size_t slots_;
    std::uint64_t done_ = 0;  // chunks of all calls before
};

class TwoPhase final : public FloorInPhases {
  public:
    TwoPhase(FloorSegment& segment, SlotShape shape)
        : FloorInPhases(shape.name("two_phase"), segment, shape.slot_bytes),
          shape_(shape),
          shown_(segment.take(sizeof(FloorCounter))),
          summed_(segment.take(sizeof(FloorCounter))),
          fetched_(segment.take(sizeof(FloorCounter))),
          inputs_(segment.take(shape.slots * shape.slot_bytes * ranks())),
          sums_(segment.take(shape.slots * shape.slot_bytes)) {}
    bool suits(const FloorWork& work, bool) const override {
        return shape_.suits(work.count * sizeof(float), shape_.slot_bytes * ranks());
    }

  private:
    // The slot in which a rank shows its part for `reader`.
    float* input_slot(int rank, std::uint64_t number, int reader) const {
        const std::size_t index =
            number % shape_.slots * ranks() + static_cast<std::size_t>(reader);
        return segment().at<float>(rank, inputs_ + index * shape_.slot_bytes);
    }
    float* sum_slot(int rank, std::uint64_t number) const {
        return segment().at<float>(rank, sums_ + number % shape_.slots * shape_.slot_bytes);
    }
    void show(const FloorWork& work, std::size_t chunk) override {
        const std::uint64_t number = number_of(chunk);
        if (number >= shape_.slots) segment().await_all(summed_, number + 1 - shape_.slots);
        for (int step = 1; step < segment().rank_count(); ++step) {
            const int reader = (segment().rank() + step) % segment().rank_count();
            const Part part = part_of(work, chunk, reader);
            floor_copy(input_slot(segment().rank(), number, reader), work.input + part.start,
                       part.count, Stores::kOrdinary);
        }
        counter(shown_)->publish(number + 1);
    }
    void sum(const FloorWork& work, std::size_t chunk) override {
        const std::uint64_t number = number_of(chunk);
        const Part part = part_of(work, chunk, segment().rank());
        const float* from[kMostRanks];
        for (int rank = 0; rank < segment().rank_count(); ++rank) {
            from[rank] = rank == segment().rank() ? work.input + part.start
                                                  : input_slot(rank, number, segment().rank());
        }
        float* const to[] = {work.output + part.start, sum_slot(segment().rank(), number)};
        if (number >= shape_.slots) segment().await_all(fetched_, number + 1 - shape_.slots);
        segment().await_all(shown_, number + 1);
        floor_sum(to, 2, from, segment().rank_count(), part.count, Stores::kOrdinary);
        counter(summed_)->publish(number + 1);
    }
    void fetch(const FloorWork& work, std::size_t chunk) override {
        const std::uint64_t number = number_of(chunk);
        for (int step = 1; step < segment().rank_count(); ++step) {
            const int rank = (segment().rank() + step) % segment().rank_count();
            const Part part = part_of(work, chunk, rank);
            segment().await(segment().at<FloorCounter>(rank, summed_)->value, number + 1);
            floor_copy(work.output + part.start, sum_slot(rank, number), part.count, shape_.stores);
        }
        counter(fetched_)->publish(number + 1);
    }

    SlotShape shape_;
    std::size_t shown_;    // counts chunks whose parts are in this rank's slots
    std::size_t summed_;   // counts chunks of which this rank's part is summed
    std::size_t fetched_;  // counts chunks that are complete in this rank's output
    std::size_t inputs_;
    std::size_t sums_;
};

}  // namespace

void add_slot_floors(FloorSegment& segment, FloorAlgorithms& algorithms) {
    for (const Stores stores : {Stores::kOrdinary, Stores::kPastCaches}) {
        for (const std::size_t kibibytes : {16, 64}) {
            const SlotShape shape{.slot_bytes = kibibytes << 10, .slots = 4, .stores = stores};
            algorithms.push_back(std::make_unique<TwoPhase>(segment, shape));
        }
        const SlotShape shape{.slot_bytes = 256 << 10, .slots = 2, .stores = stores};
        algorithms.push_back(std::make_unique<OneShot>(segment, shape));
    }
}

}  // namespace xccl::compare
