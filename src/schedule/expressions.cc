#include "schedule/expressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "base/assert.h"

namespace xccl {
namespace {

// Vigna's splitmix64: a bijection that mixes well.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

Contributions hash_of_leaf(ExpressionId id) {
    return {mix(id), mix(id ^ 0x5bf0363546290fb5u)};
}

std::size_t hash_of(ExpressionId left, ExpressionId right) {
    return static_cast<std::size_t>(mix(std::uint64_t{left} << 32 | right));
}

}  // namespace

ExpressionTable::ExpressionTable(int rank_count, std::uint32_t label_count)
    : rank_count_(rank_count),
      leaf_count_(static_cast<std::uint32_t>(rank_count) * label_count),
      buckets_(1024) {
    XCCL_ASSERT(static_cast<std::uint64_t>(rank_count) * label_count < std::uint64_t{1} << 31);
}

ExpressionId ExpressionTable::combine(ExpressionId a, ExpressionId b) {
    XCCL_ASSERT(a != kUndefined && b != kUndefined);
    return a < b ? intern(a, b) : intern(b, a);
}

ExpressionId ExpressionTable::rounded(ExpressionId a) {
    if (is_leaf(a) || node(a).right == kUndefined) return a;
    return intern(a, kUndefined);
}

ExpressionId ExpressionTable::combine_all(std::span<const ExpressionId> terms) {
    if (terms.size() == 1) return terms[0];
    const std::size_t left = std::bit_ceil(terms.size()) / 2;
    const ExpressionId first = combine_all(terms.first(left));
    return combine(first, combine_all(terms.subspan(left)));
}

ExpressionId ExpressionTable::canonical(std::uint32_t label, Rounding rounding) {
    std::vector<ExpressionId> leaves;
    leaves.reserve(rank_count_);
    for (int rank = 0; rank < rank_count_; ++rank) leaves.push_back(leaf(rank, label));
    const ExpressionId tree = combine_all(leaves);
    return rounding == Rounding::kNone ? tree : rounded(tree);
}

Contributions ExpressionTable::contributions(ExpressionId id) const {
    return is_leaf(id) ? hash_of_leaf(id) : node(id).contributions;
}

Contributions ExpressionTable::of_all_ranks(std::uint32_t label) const {
    Contributions sum;
    for (int rank = 0; rank < rank_count_; ++rank) sum += hash_of_leaf(leaf(rank, label));
    return sum;
}

// Nodes are numbered after what they are made of, so one pass in their order sees each part first.
bool ExpressionTable::covers_all_ranks(ExpressionId id) {
    const std::size_t words = (static_cast<std::size_t>(rank_count_) + 63) / 64;
    const auto add = [&](std::vector<std::uint64_t>& set, ExpressionId part) {
        if (part == kUndefined) return;
        if (is_leaf(part)) {
            const std::uint32_t rank = (part - 1) % static_cast<std::uint32_t>(rank_count_);
            set[rank / 64] |= std::uint64_t{1} << rank % 64;
            return;
        }
        const std::vector<std::uint64_t>& other = covered_[part - leaf_count_ - 1];
        for (std::size_t w = 0; w < words; ++w) set[w] |= other[w];
    };
    while (covered_.size() < nodes_.size()) {
        std::vector<std::uint64_t> set(words);
        const Node& next = nodes_[covered_.size()];
        add(set, next.left);
        add(set, next.right);
        covered_.push_back(std::move(set));
    }
    std::vector<std::uint64_t> set(words);
    add(set, id);
    int count = 0;
    for (std::uint64_t word : set) count += std::popcount(word);
    return count == rank_count_;
}

void ExpressionTable::forget_combinations() {
    nodes_.clear();
    covered_.clear();
    std::fill(buckets_.begin(), buckets_.end(), kUndefined);
}

std::string ExpressionTable::print(ExpressionId id) const {
    return id == kUndefined ? "undefined" : picture_of(id).text;
}

ExpressionTable::Picture ExpressionTable::picture_of(ExpressionId id) const {
    if (is_leaf(id)) {
        const std::uint32_t rank = (id - 1) % static_cast<std::uint32_t>(rank_count_);
        return {rank, fmt::format("x{}", rank)};
    }
    const Node& n = node(id);
    Picture left = picture_of(n.left);
    if (n.right == kUndefined) return {left.lowest_rank, "r" + left.text};
    Picture right = picture_of(n.right);
    if (std::tie(right.lowest_rank, right.text) < std::tie(left.lowest_rank, left.text)) {
        std::swap(left, right);
    }
    return {left.lowest_rank, fmt::format("({} {})", left.text, right.text)};
}

ExpressionId ExpressionTable::intern(ExpressionId left, ExpressionId right) {
    if (2 * nodes_.size() >= buckets_.size()) grow();
    const std::size_t mask = buckets_.size() - 1;
    std::size_t at = hash_of(left, right) & mask;
    for (; buckets_[at] != kUndefined; at = (at + 1) & mask) {
        const Node& found = node(buckets_[at]);
        if (found.left == left && found.right == right) return buckets_[at];
    }
    Contributions sum = contributions(left);
    if (right != kUndefined) sum += contributions(right);
    nodes_.push_back({left, right, sum});
    buckets_[at] = leaf_count_ + static_cast<ExpressionId>(nodes_.size());
    return buckets_[at];
}

void ExpressionTable::grow() {
    std::vector<ExpressionId> old = std::move(buckets_);
    buckets_.assign(2 * old.size(), kUndefined);
    const std::size_t mask = buckets_.size() - 1;
    for (ExpressionId id : old) {
        if (id == kUndefined) continue;
        std::size_t at = hash_of(node(id).left, node(id).right) & mask;
        while (buckets_[at] != kUndefined) at = (at + 1) & mask;
        buckets_[at] = id;
    }
}

}  // namespace xccl
