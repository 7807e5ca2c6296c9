#include "program/nearest_option.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace xccl::trainer {
namespace {

constexpr std::size_t kMaxComparedBytes = 64;  // bounds the work

// Damerau and Levenshtein's distance (optimal string alignment): mistyping swaps letters.
std::size_t typing_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                   cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

std::string nearest_option(std::string_view wanted, std::span<const std::string> known) {
    wanted = wanted.substr(0, kMaxComparedBytes);
    std::string nearest;
    std::size_t best = std::max<std::size_t>(2, wanted.size() / 3) + 1;
    for (const std::string& name : known) {
        const bool begun = wanted.size() > 3 && name.starts_with(wanted);
        const std::size_t distance = begun ? 1 : typing_distance(wanted, name);
        if (distance >= best) continue;
        best = distance;
        nearest = name;
    }
    return nearest;
}

}  // namespace xccl::trainer
