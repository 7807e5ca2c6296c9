// The course of a run in bounded memory: when there are too many points, neighbours become one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "report/step_record.h"

namespace xccl::trainer {

class History {
  public:
    // max_points: even, at least 2.
    explicit History(std::size_t max_points) : max_points_(max_points) {}

    void add(const StepRecord& record);

    // Each point stands for steps_per_point() steps, the last for the rest: tokens and times are
    // sums, loss, learning rate and norm are means, step and elapsed are those of its last step.
    std::vector<StepRecord> points() const;
    std::size_t steps_per_point() const { return steps_per_point_; }

  private:
    std::size_t max_points_;
    std::size_t steps_per_point_ = 1;
    std::vector<StepRecord> full_;  // of steps_per_point_ each
    StepRecord partial_;            // of partial_steps_
    std::size_t partial_steps_ = 0;
};

}  // namespace xccl::trainer
