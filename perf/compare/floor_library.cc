// The floor: the least that an all-reduce between processes of this machine can take, for want of
// anything but the moving and adding itself. It is no rival, but what the others are held against.
//
// Arguments: rank, number of ranks, and a folder where the ranks find each other.
//
// Its algorithms are in floor_small.cc, floor_swap.cc, floor_exchange.cc, floor_slots.cc,
// floor_cma.cc and, for registered buffers, floor_direct.cc; the comparison takes the fastest for
// each size.
#include <cstdlib>

#include "floor_algorithms.h"
#include "library.h"

namespace xccl::compare {
namespace {

class Floor final : public Library {
  public:
    Floor(int rank, int rank_count, const std::string& folder)
        : segment_(rank, rank_count, folder) {
        add_small_floors(segment_, algorithms_);
        add_slot_floors(segment_, algorithms_);
        add_exchange_floors(segment_, algorithms_);
        add_swap_floors(segment_, algorithms_);
        add_cma_floors(segment_, algorithms_);
        add_direct_floors(segment_, algorithms_);
    }

    int rank() const override { return segment_.rank(); }
    int rank_count() const override { return segment_.rank_count(); }
    std::string description() const override { return "the floor"; }
    std::vector<std::string> algorithms() const override {
        std::vector<std::string> names;
        names.reserve(algorithms_.size());
        for (const auto& algorithm : algorithms_) names.push_back(algorithm->name());
        return names;
    }

    void* allocate(std::size_t bytes, Pages pages) override {
        return pages == Pages::kRegistered ? segment_.allocate(bytes)
                                           : Library::allocate(bytes, pages);
    }
    void free(void* memory, std::size_t bytes, Pages pages) override {
        if (pages == Pages::kRegistered) {
            segment_.free(bytes);
        } else {
            Library::free(memory, bytes, pages);
        }
    }

    bool prepare(const Call& call) override {
        if (call.operation != Operation::kAllReduce) return false;
        work_ = {
            .input = call.input.data(), .output = call.output.data(), .count = call.output.size()};
        const bool is_registered = segment_.holds(work_.input) && segment_.holds(work_.output);
        if (is_registered) {
            segment_.populate(segment_.offset_of(work_.input), call.input.size_bytes());
            segment_.populate(segment_.offset_of(work_.output), call.output.size_bytes());
        }
        chosen_ = nullptr;
        for (const auto& algorithm : algorithms_) {
            if (algorithm->name() == call.algorithm) chosen_ = algorithm.get();
        }
        if (chosen_ == nullptr) give_up("floor: unknown algorithm " + call.algorithm);
        return chosen_->suits(work_, is_registered);
    }
    void run() override { chosen_->run(work_); }

  private:
    FloorSegment segment_;
    FloorAlgorithms algorithms_;
    FloorAlgorithm* chosen_ = nullptr;
    FloorWork work_;
};

}  // namespace

std::unique_ptr<Library> open_library(std::span<char*> arguments) {
    if (arguments.size() != 3) give_up("floor: needs a rank, the number of ranks and a folder");
    const int rank_count = std::atoi(arguments[1]);
    if (rank_count < 2 || rank_count > kMostRanks) give_up("floor: is made for 2 to 16 ranks");
    return std::make_unique<Floor>(std::atoi(arguments[0]), rank_count, arguments[2]);
}

}  // namespace xccl::compare
