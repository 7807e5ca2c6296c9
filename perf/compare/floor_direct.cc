// Floors for buffers that all ranks have mapped: nothing is copied that is not the result.
//
//   direct_one_shot  every rank sums all inputs into its own output
//   push             rank r sums part r of all inputs into all outputs
//   pull             rank r sums part r into its own output, and fetches the others' parts from
//                    theirs, chunk by chunk as they are ready
//
// All ranks meet before, since inputs must be there, and after, since somebody may still read this
// rank's buffers, or write its output.
#include <algorithm>

#include "floor_algorithms.h"

namespace xccl::compare {
namespace {

constexpr std::size_t kLeastDirectFloats = 256;
constexpr std::size_t kLeastFloatsPastCaches = 1 << 18;

struct Share {
    std::size_t start = 0;
    std::size_t count = 0;
};

class Direct : public FloorAlgorithm {
  public:
    Direct(FloorSegment& segment, const std::string& name, Stores stores)
        : FloorAlgorithm(name + (stores == Stores::kPastCaches ? "_past" : "")),
          segment_(segment),
          stores_(stores),
          arrived_(segment.take(sizeof(FloorCounter))),
          left_(segment.take(sizeof(FloorCounter))) {}
    bool suits(const FloorWork& work, bool is_registered) const override {
        return is_registered && work.count >= kLeastDirectFloats &&
               (stores_ == Stores::kOrdinary || work.count >= kLeastFloatsPastCaches);
    }

  protected:
    FloorSegment& segment() { return segment_; }
    Stores stores() const { return stores_; }
    void arrive() {
        segment_.at<FloorCounter>(segment_.rank(), arrived_)->publish(++call_);
        segment_.await_all(arrived_, call_);
    }
    void leave() {
        segment_.at<FloorCounter>(segment_.rank(), left_)->publish(call_);
        segment_.await_all(left_, call_);
    }
    Share share_of(const FloorWork& work, int rank) const {
        constexpr std::size_t kLine = 16;
        const auto ranks = static_cast<std::size_t>(segment_.rank_count());
        const std::size_t share = ((work.count + ranks - 1) / ranks + kLine - 1) / kLine * kLine;
        const std::size_t start = std::min(share * static_cast<std::size_t>(rank), work.count);
        return {.start = start, .count = std::min(share, work.count - start)};
    }
    // Buffers of all ranks lie at the same offset.
    const float* input_of(const FloorWork& work, int rank) const {
        return segment_.at<float>(rank, segment_.offset_of(work.input));
    }
    float* output_of(const FloorWork& work, int rank) const {
        return segment_.at<float>(rank, segment_.offset_of(work.output));
    }
    void sum_to(float* const* to, int destinations, const FloorWork& work, Share share) {
        const float* from[kMostRanks];
        for (int rank = 0; rank < segment_.rank_count(); ++rank) {
            from[rank] = input_of(work, rank) + share.start;
        }
        floor_sum(to, destinations, from, segment_.rank_count(), share.count, stores_);
    }

  private:
    FloorSegment& segment_;
    Stores stores_;
    std::size_t arrived_;
    std::size_t left_;
    std::uint64_t call_ = 0;
};

class DirectOneShot final : public Direct {
  public:
    DirectOneShot(FloorSegment& segment, Stores stores)
        : Direct(segment, "direct_one_shot", stores) {}
    bool suits(const FloorWork& work, bool is_registered) const override {
        return work.input != work.output && Direct::suits(work, is_registered);
    }
    void run(const FloorWork& work) override {
        arrive();
        sum_to(&work.output, 1, work, {.start = 0, .count = work.count});
        leave();
    }
};

class Push final : public Direct {
  public:
    Push(FloorSegment& segment, Stores stores) : Direct(segment, "push", stores) {}
    void run(const FloorWork& work) override {
        const Share own = share_of(work, segment().rank());
        float* to[kMostRanks];
        for (int rank = 0; rank < segment().rank_count(); ++rank) {
            to[rank] = output_of(work, rank) + own.start;
        }
        arrive();
        sum_to(to, segment().rank_count(), work, own);
        leave();
    }
};

class Pull final : public Direct {
  public:
    Pull(FloorSegment& segment, std::size_t chunk_bytes, Stores stores)
        : Direct(segment, "pull_" + std::to_string(chunk_bytes >> 10) + "K", stores),
          chunk_floats_(chunk_bytes / sizeof(float)),
          summed_(segment.take(sizeof(FloorCounter))) {}
    bool suits(const FloorWork& work, bool is_registered) const override {
        return Direct::suits(work, is_registered) && share_of(work, 0).count * 2 > chunk_floats_;
    }
    void run(const FloorWork& work) override {
        const std::size_t chunks = (share_of(work, 0).count + chunk_floats_ - 1) / chunk_floats_;
        arrive();
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
            const Share own = chunk_of(work, segment().rank(), chunk);
            float* to = work.output + own.start;
            // To be fetched from the caches, so not past them.
            const float* from[kMostRanks];
            for (int rank = 0; rank < segment().rank_count(); ++rank) {
                from[rank] = input_of(work, rank) + own.start;
            }
            floor_sum(&to, 1, from, segment().rank_count(), own.count, Stores::kOrdinary);
            segment().at<FloorCounter>(segment().rank(), summed_)->publish(done_ + chunk + 1);
            if (chunk > 0) fetch(work, chunk - 1);
        }
        fetch(work, chunks - 1);
        done_ += chunks;
        leave();
    }

  private:
    Share chunk_of(const FloorWork& work, int rank, std::size_t chunk) const {
        const Share share = share_of(work, rank);
        const std::size_t start = std::min(chunk * chunk_floats_, share.count);
        return {.start = share.start + start,
                .count = std::min(chunk_floats_, share.count - start)};
    }
    void fetch(const FloorWork& work, std::size_t chunk) {
        for (int step = 1; step < segment().rank_count(); ++step) {
            const int rank = (segment().rank() + step) % segment().rank_count();
            const Share part = chunk_of(work, rank, chunk);
            segment().await(segment().at<FloorCounter>(rank, summed_)->value, done_ + chunk + 1);
            floor_copy(work.output + part.start, output_of(work, rank) + part.start, part.count,
                       stores());
        }
    }

    std::size_t chunk_floats_;
    std::size_t summed_;      // counts chunks of all calls that are in this rank's output
    std::uint64_t done_ = 0;  // chunks of all calls before
};

}  // namespace

void add_direct_floors(FloorSegment& segment, FloorAlgorithms& algorithms) {
    for (const Stores stores : {Stores::kOrdinary, Stores::kPastCaches}) {
        algorithms.push_back(std::make_unique<DirectOneShot>(segment, stores));
        algorithms.push_back(std::make_unique<Push>(segment, stores));
        for (const std::size_t kibibytes : {64, 1024}) {
            algorithms.push_back(std::make_unique<Pull>(segment, kibibytes << 10, stores));
        }
    }
}

}  // namespace xccl::compare
