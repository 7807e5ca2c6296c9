// How much each rank sends to each other one in alltoallv_perf.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace xccl::perf {

// What the shares of a size are multiples of.
constexpr std::size_t kAlignmentBytes = 16;

// Elements from each rank to each rank: [rank_count][rank_count], row = sender.
class Traffic {
  public:
    Traffic() = default;
    Traffic(int rank_count, std::vector<std::size_t> counts)
        : rank_count_(rank_count), counts_(std::move(counts)) {}

    int rank_count() const { return rank_count_; }
    std::size_t count(int sender, int receiver) const {
        return counts_[static_cast<std::size_t>(sender) * static_cast<std::size_t>(rank_count_) +
                       static_cast<std::size_t>(receiver)];
    }
    std::size_t sent_by(int rank) const;
    std::size_t received_by(int rank) const;
    // The largest of all of these.
    std::size_t busiest() const;
    // Where the elements for `receiver` start in the sender's packed buffer, and where those of
    // `sender` start in the receiver's.
    std::size_t send_offset(int sender, int receiver) const;
    std::size_t receive_offset(int sender, int receiver) const;

  private:
    int rank_count_ = 0;
    std::vector<std::size_t> counts_;
};

// `count` elements between the two ranks that are farthest apart. Spread 0: as many between all
// others; 1: in proportion to their distance in rank numbers, so none from a rank to itself.
// Counts are rounded down to `granule` elements.
Traffic spread_traffic(int rank_count, std::size_t count, double spread, std::size_t granule);

// A square matrix of bytes, as text; throws Failure where the text is none, or too small.
std::vector<std::vector<double>> parse_matrix(std::string_view text, int rank_count);
// Its upper left corner times `scale`, rounded down to 16 bytes.
Traffic matrix_traffic(const std::vector<std::vector<double>>& bytes, int rank_count, double scale,
                       std::size_t type_bytes);

}  // namespace xccl::perf
