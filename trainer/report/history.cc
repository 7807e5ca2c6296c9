#include "report/history.h"

namespace xccl::trainer {
namespace {

// `a` of a_steps steps and then `b` of b_steps, as one point.
StepRecord joined(const StepRecord& a, double a_steps, const StepRecord& b, double b_steps) {
    const auto mean = [&](double x, double y) {
        return (x * a_steps + y * b_steps) / (a_steps + b_steps);
    };
    StepRecord both = b;
    both.tokens += a.tokens;
    both.loss = mean(a.loss, b.loss);
    both.learning_rate = mean(a.learning_rate, b.learning_rate);
    both.gradient_norm = mean(a.gradient_norm, b.gradient_norm);
    both.times += a.times;
    both.least_exposed += a.least_exposed;
    return both;
}

}  // namespace

void History::add(const StepRecord& record) {
    partial_ = partial_steps_ == 0
                   ? record
                   : joined(partial_, static_cast<double>(partial_steps_), record, 1);
    if (++partial_steps_ < steps_per_point_) return;
    full_.push_back(partial_);
    partial_steps_ = 0;
    if (full_.size() < max_points_) return;
    for (std::size_t i = 0; i < full_.size() / 2; ++i) {
        full_[i] = joined(full_[2 * i], 1, full_[2 * i + 1], 1);
    }
    full_.resize(full_.size() / 2);
    steps_per_point_ *= 2;
}

std::vector<StepRecord> History::points() const {
    std::vector<StepRecord> all = full_;
    if (partial_steps_ > 0) all.push_back(partial_);
    return all;
}

}  // namespace xccl::trainer
