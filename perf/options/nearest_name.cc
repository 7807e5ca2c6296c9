#include "options/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace xccl::perf {
namespace {

constexpr std::size_t kMaxTypingErrors = 3;
constexpr std::size_t kMaxComparedBytes = 60;  // bounds the work

// Levenshtein's distance. cost[j]: from the letters of `a` so far to the first j of `b`.
std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> cost(b.size() + 1);
    for (std::size_t j = 0; j < cost.size(); ++j) cost[j] = j;
    for (const char letter : a) {
        std::size_t without_both = cost[0]++;
        for (std::size_t j = 1; j < cost.size(); ++j) {
            const std::size_t substituted = without_both + (letter == b[j - 1] ? 0 : 1);
            without_both = cost[j];
            cost[j] = std::min({cost[j] + 1, cost[j - 1] + 1, substituted});
        }
    }
    return cost.back();
}

}  // namespace

std::string_view nearest_name(std::string_view wanted, std::span<const std::string_view> known) {
    wanted = wanted.substr(0, kMaxComparedBytes);
    std::string_view nearest;
    std::size_t fewest = kMaxTypingErrors + 1;
    for (const std::string_view name : known) {
        const std::size_t edits = edits_between(wanted, name);
        if (edits >= fewest || edits >= name.size()) continue;
        fewest = edits;
        nearest = name;
    }
    return nearest;
}

std::string suggestion(std::string_view wanted, std::span<const std::string_view> known) {
    const std::string_view nearest = nearest_name(wanted, known);
    return nearest.empty() ? std::string() : "; did you mean '" + std::string(nearest) + "'?";
}

}  // namespace xccl::perf
