// All-reduces of float32 that do nothing but what they must: no generality, no checks, no failures
// noticed. What they take is what a library can be held against.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "floor_segment.h"

namespace xccl::compare {

struct FloorWork {
    const float* input = nullptr;
    float* output = nullptr;
    std::size_t count = 0;
};

class FloorAlgorithm {
  public:
    explicit FloorAlgorithm(std::string name) : name_(std::move(name)) {}
    FloorAlgorithm(const FloorAlgorithm&) = delete;
    FloorAlgorithm& operator=(const FloorAlgorithm&) = delete;
    FloorAlgorithm(FloorAlgorithm&&) = delete;
    FloorAlgorithm& operator=(FloorAlgorithm&&) = delete;
    virtual ~FloorAlgorithm() = default;
    const std::string& name() const { return name_; }
    // Whether it can do this, and could be fastest; the same on all ranks.
    virtual bool suits(const FloorWork& work, bool is_registered) const = 0;
    virtual void run(const FloorWork& work) = 0;

  private:
    std::string name_;
};

using FloorAlgorithms = std::vector<std::unique_ptr<FloorAlgorithm>>;

// Each takes its memory from the segment, so all ranks must make them alike.
void add_small_floors(FloorSegment& segment, FloorAlgorithms& algorithms);   // floor_small.cc
void add_slot_floors(FloorSegment& segment, FloorAlgorithms& algorithms);    // floor_slots.cc
void add_direct_floors(FloorSegment& segment, FloorAlgorithms& algorithms);  // floor_direct.cc

void add_exchange_floors(FloorSegment& segment, FloorAlgorithms& algorithms);  // floor_exchange.cc
void add_swap_floors(FloorSegment& segment, FloorAlgorithms& algorithms);      // floor_swap.cc
void add_cma_floors(FloorSegment& segment, FloorAlgorithms& algorithms);       // floor_cma.cc

}  // namespace xccl::compare
