#include "pattern.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace xccl::compare {

// What rank `from` has for rank `to`; where all get the same, for rank 0.
Pattern::Row Pattern::sent(int from, int to, int call) {
    const auto shift = static_cast<std::size_t>(7 * from + 11 * to) +
                       13 * (static_cast<std::size_t>(call) % kPeriod);
    Row row{};
    for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = static_cast<float>((i + shift) % kPeriod);
    }
    return row;
}

Pattern::Row Pattern::summed(int rank_count, int to, int call) {
    Row sum{};
    for (int from = 0; from < rank_count; ++from) {
        const Row row = sent(from, to, call);
        std::transform(row.begin(), row.end(), sum.begin(), sum.begin(), std::plus<>());
    }
    return sum;
}

Pattern::Row Pattern::received(std::size_t place, int call) const {
    switch (operation_) {
        case Operation::kAllReduce:
            return summed(rank_count_, 0, call);
        case Operation::kReduceScatter:
            return summed(rank_count_, rank_, call);
        case Operation::kAllGather:
            return sent(static_cast<int>(place), 0, call);
        case Operation::kAlltoall:
            return sent(static_cast<int>(place), rank_, call);
        case Operation::kBroadcast:
            return sent(0, 0, call);
    }
    give_up("an operation without a result");
}

void Pattern::write_input(std::span<float> input, int call) const {
    if (operation_ == Operation::kBroadcast && rank_ != 0) return;
    for (std::size_t start = 0, to = 0; start < input.size(); start += block_, ++to) {
        const Row row = sent(rank_, static_cast<int>(to), call);
        for (std::size_t done = 0; done < block_; done += row.size()) {
            const std::size_t count = std::min(row.size(), block_ - done);
            std::copy_n(row.begin(), count, input.begin() + static_cast<long>(start + done));
        }
    }
}

std::string Pattern::difference(std::span<const float> output, int call) const {
    for (std::size_t start = 0, place = 0; start < output.size(); start += block_, ++place) {
        const Row row = received(place, call);
        for (std::size_t done = 0; done < block_; done += row.size()) {
            const std::size_t count = std::min(row.size(), block_ - done);
            const float* found = output.data() + start + done;
            if (std::memcmp(found, row.data(), count * sizeof(float)) == 0) continue;
            for (std::size_t i = 0; i < count; ++i) {
                if (found[i] == row[i]) continue;
                std::ostringstream text;
                text << "element " << start + done + i << " of call " << call << " is " << found[i]
                     << ", not " << row[i];
                return text.str();
            }
        }
    }
    return {};
}

}  // namespace xccl::compare
