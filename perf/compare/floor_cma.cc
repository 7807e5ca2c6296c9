// Floors for ordinary memory of large sizes: through the kernel, which reads another process's
// memory without a copy between (cross memory attach), at the cost of finding each of its pages.
//
//   cma_one_shot   every rank reads all inputs, chunk by chunk, and sums them into its output
//   cma_two_phase  rank r reads part r of all inputs, sums it, and writes it into all outputs
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "floor_algorithms.h"
#include "library.h"

namespace xccl::compare {
namespace {

// What a rank says when it arrives; all in the line of its counter.
struct alignas(128) CmaArrival {
    std::atomic<std::uint64_t> call{0};
    const float* input = nullptr;
    float* output = nullptr;
    pid_t process = 0;
};

void check_moved(ssize_t moved, std::size_t bytes) {
    if (moved == static_cast<ssize_t>(bytes)) return;
    give_up(std::string("floor: the kernel does not move memory between processes: ") +
            std::strerror(errno));
}

class Cma : public FloorAlgorithm {
  public:
    Cma(FloorSegment& segment, std::string name, std::size_t chunk_bytes, Stores stores)
        : FloorAlgorithm(name.append("_")
                             .append(std::to_string(chunk_bytes >> 10))
                             .append("K")
                             .append(stores == Stores::kPastCaches ? "_past" : "")),
          segment_(segment),
          chunk_floats_(chunk_bytes / sizeof(float)),
          stores_(stores),
          arrived_(segment.take(sizeof(CmaArrival))),
          left_(segment.take(sizeof(FloorCounter))) {
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    }
    bool suits(const FloorWork& work, bool is_registered) const override {
        constexpr std::size_t kLeastFloats = 1 << 15;
        return !is_registered && work.count >= kLeastFloats && work.count >= chunk_floats_;
    }

  protected:
    FloorSegment& segment() { return segment_; }
    std::size_t chunk_floats() const { return chunk_floats_; }
    void arrive(const FloorWork& work) {
        auto* own = segment_.at<CmaArrival>(segment_.rank(), arrived_);
        own->input = work.input;
        own->output = work.output;
        own->process = getpid();
        own->call.store(++call_, std::memory_order_release);  // pairs with await()
        for (int rank = 0; rank < segment_.rank_count(); ++rank) {
            segment_.await(segment_.at<CmaArrival>(rank, arrived_)->call, call_);
        }
    }
    void leave() {
        segment_.at<FloorCounter>(segment_.rank(), left_)->publish(call_);
        segment_.await_all(left_, call_);
    }
    // All ranks' elements from `start` on into chunks that stay in the caches, and their sum to
    // `to`.
    void sum(const FloorWork& work, std::size_t start, std::size_t count, Stores stores) {
        chunks_.resize(chunk_floats_ * static_cast<std::size_t>(segment_.rank_count()));
        const float* from[kMostRanks];
        for (int rank = 0; rank < segment_.rank_count(); ++rank) {
            if (rank == segment_.rank()) {
                from[rank] = work.input + start;
                continue;
            }
            float* chunk = chunks_.data() + static_cast<std::size_t>(rank) * chunk_floats_;
            const auto* peer = segment_.at<CmaArrival>(rank, arrived_);
            const iovec here{.iov_base = chunk, .iov_len = count * sizeof(float)};
            const iovec there{.iov_base = const_cast<float*>(peer->input + start),
                              .iov_len = here.iov_len};
            check_moved(process_vm_readv(peer->process, &here, 1, &there, 1, 0), here.iov_len);
            from[rank] = chunk;
        }
        float* const to = work.output + start;
        floor_sum(&to, 1, from, segment_.rank_count(), count, stores);
    }
    void write_to_all(const FloorWork& work, std::size_t start, std::size_t count) {
        for (int step = 1; step < segment_.rank_count(); ++step) {
            const int rank = (segment_.rank() + step) % segment_.rank_count();
            const auto* peer = segment_.at<CmaArrival>(rank, arrived_);
            const iovec here{.iov_base = work.output + start, .iov_len = count * sizeof(float)};
            const iovec there{.iov_base = peer->output + start, .iov_len = here.iov_len};
            check_moved(process_vm_writev(peer->process, &here, 1, &there, 1, 0), here.iov_len);
        }
    }
    Stores stores() const { return stores_; }

  private:
    FloorSegment& segment_;
    std::size_t chunk_floats_;
    Stores stores_;
    std::size_t arrived_;
    std::size_t left_;
    std::vector<float> chunks_;
    std::uint64_t call_ = 0;
};

class CmaOneShot final : public Cma {
  public:
    CmaOneShot(FloorSegment& segment, std::size_t chunk_bytes, Stores stores)
        : Cma(segment, "cma_one_shot", chunk_bytes, stores) {}
    bool suits(const FloorWork& work, bool is_registered) const override {
        return work.input != work.output && Cma::suits(work, is_registered);
    }
    void run(const FloorWork& work) override {
        arrive(work);
        for (std::size_t start = 0; start < work.count; start += chunk_floats()) {
            sum(work, start, std::min(chunk_floats(), work.count - start), stores());
        }
        leave();
    }
};

class CmaTwoPhase final : public Cma {
  public:
    CmaTwoPhase(FloorSegment& segment, std::size_t chunk_bytes)
        : Cma(segment, "cma_two_phase", chunk_bytes, Stores::kOrdinary) {}
    void run(const FloorWork& work) override {
        constexpr std::size_t kLine = 16;
        const auto ranks = static_cast<std::size_t>(segment().rank_count());
        const std::size_t share = ((work.count + ranks - 1) / ranks + kLine - 1) / kLine * kLine;
        const std::size_t first =
            std::min(share * static_cast<std::size_t>(segment().rank()), work.count);
        const std::size_t end = std::min(first + share, work.count);
        arrive(work);
        for (std::size_t start = first; start < end; start += chunk_floats()) {
            const std::size_t count = std::min(chunk_floats(), end - start);
            sum(work, start, count, Stores::kOrdinary);  // to be read by the kernel at once
            write_to_all(work, start, count);
        }
        leave();
    }
};

}  // namespace

void add_cma_floors(FloorSegment& segment, FloorAlgorithms& algorithms) {
    constexpr std::size_t kChunkBytes = 256 << 10;
    algorithms.push_back(std::make_unique<CmaTwoPhase>(segment, kChunkBytes));
    algorithms.push_back(std::make_unique<CmaOneShot>(segment, kChunkBytes, Stores::kPastCaches));
}

}  // namespace xccl::compare
