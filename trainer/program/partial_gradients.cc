#include "program/partial_gradients.h"

namespace xccl::trainer {

std::span<float> PartialGradients::next() {
    if (arrays_.size() == open_.size()) arrays_.emplace_back(element_count_);
    return arrays_[open_.size()];
}

void PartialGradients::push() {
    open_.push_back(1);
    while (open_.size() >= 2 && open_[open_.size() - 2] == open_.back()) {
        open_.pop_back();
        open_.back() *= 2;
        add_(arrays_[open_.size() - 1], arrays_[open_.size()]);
    }
}

void PartialGradients::add_to(std::size_t first, std::span<float> range) {
    for (std::size_t i = open_.size(); i-- > 0;) {
        add_(range, std::span<const float>(arrays_[i]).subspan(first, range.size()));
    }
}

}  // namespace xccl::trainer
