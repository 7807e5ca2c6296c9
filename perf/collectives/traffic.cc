#include "collectives/traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

#include "failure.h"

namespace xccl::perf {
namespace {

constexpr double kLargestCell = 1e18;  // bytes; sums of a row still fit

std::size_t square(int rank_count) {
    return static_cast<std::size_t>(rank_count) * static_cast<std::size_t>(rank_count);
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

std::vector<double> parse_row(std::string_view line, std::size_t row) {
    std::vector<double> cells;
    const char* at = line.data();
    const char* const end = at + line.size();
    while (true) {
        while (at != end && is_blank(*at)) ++at;
        if (at == end) return cells;
        double cell = 0;
        const auto [rest, error] = std::from_chars(at, end, cell);
        const bool whole_word = rest == end || is_blank(*rest);
        if (error != std::errc() || !whole_word || !(cell >= 0 && cell <= kLargestCell)) {
            throw Failure(ExitCode::kInvalidUsage,
                          fmt::format("traffic matrix: cell {} of row {} is no number of bytes",
                                      cells.size() + 1, row + 1));
        }
        cells.push_back(cell);
        at = rest;
    }
}

}  // namespace

std::size_t Traffic::sent_by(int rank) const {
    return send_offset(rank, rank_count_);
}

std::size_t Traffic::received_by(int rank) const {
    return receive_offset(rank_count_, rank);
}

std::size_t Traffic::busiest() const {
    std::size_t most = 0;
    for (int rank = 0; rank < rank_count_; ++rank) {
        most = std::max({most, sent_by(rank), received_by(rank)});
    }
    return most;
}

std::size_t Traffic::send_offset(int sender, int receiver) const {
    std::size_t offset = 0;
    for (int before = 0; before < receiver; ++before) offset += count(sender, before);
    return offset;
}

std::size_t Traffic::receive_offset(int sender, int receiver) const {
    std::size_t offset = 0;
    for (int before = 0; before < sender; ++before) offset += count(before, receiver);
    return offset;
}

Traffic spread_traffic(int rank_count, std::size_t count, double spread, std::size_t granule) {
    std::vector<std::size_t> counts;
    counts.reserve(square(rank_count));
    const int farthest = std::max(rank_count - 1, 1);
    for (int sender = 0; sender < rank_count; ++sender) {
        for (int receiver = 0; receiver < rank_count; ++receiver) {
            const int distance = rank_count == 1 ? 1 : std::abs(sender - receiver);
            const double share = 1 - spread * (farthest - distance) / farthest;
            const double exact = static_cast<double>(count) * share;
            counts.push_back(static_cast<std::size_t>(exact) / granule * granule);
        }
    }
    return {rank_count, std::move(counts)};
}

std::vector<std::vector<double>> parse_matrix(std::string_view text, int rank_count) {
    std::vector<std::vector<double>> rows;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        std::vector<double> row = parse_row(line, rows.size());
        if (!row.empty()) rows.push_back(std::move(row));
    }
    for (const std::vector<double>& row : rows) {
        if (row.size() == rows.size()) continue;
        throw Failure(ExitCode::kInvalidUsage,
                      fmt::format("traffic matrix: {} rows, but a row with {} cells; it must be "
                                  "square",
                                  rows.size(), row.size()));
    }
    if (rows.size() < static_cast<std::size_t>(rank_count)) {
        throw Failure(ExitCode::kInvalidUsage,
                      fmt::format("traffic matrix: {} x {} cells are too few for {} ranks",
                                  rows.size(), rows.size(), rank_count));
    }
    return rows;
}

Traffic matrix_traffic(const std::vector<std::vector<double>>& bytes, int rank_count, double scale,
                       std::size_t type_bytes) {
    std::vector<std::size_t> counts;
    counts.reserve(square(rank_count));
    for (std::size_t sender = 0; sender < static_cast<std::size_t>(rank_count); ++sender) {
        for (std::size_t receiver = 0; receiver < static_cast<std::size_t>(rank_count);
             ++receiver) {
            const double lines = std::min(bytes[sender][receiver] * scale, kLargestCell) /
                                 static_cast<double>(kAlignmentBytes);
            counts.push_back(static_cast<std::size_t>(lines) * (kAlignmentBytes / type_bytes));
        }
    }
    return {rank_count, std::move(counts)};
}

}  // namespace xccl::perf
