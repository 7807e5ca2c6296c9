#include "base/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace xccl {
namespace {

constexpr std::size_t kMaxTypingErrors = 3;
constexpr std::size_t kMaxComparedBytes = 60;  // bounds the work

// Levenshtein distance: one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            row[j] = std::min({above + 1, row[j - 1] + 1, replaced});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view wanted, std::span<const std::string_view> known) {
    std::string_view nearest;
    std::size_t best = kMaxTypingErrors + 1;
    for (std::string_view name : known) {
        const std::size_t distance = edit_distance(wanted.substr(0, kMaxComparedBytes), name);
        if (distance >= best) continue;
        best = distance;
        nearest = name;
    }
    return nearest;
}

}  // namespace xccl
