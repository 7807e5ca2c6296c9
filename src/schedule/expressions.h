// What a value is made of: hash-consed expressions over the ranks' inputs.
//
//     leaf            chunk `label` of a rank's input
//     combine(a, b)   commutative: the operands are kept in one order, so a + b and b + a are one
//     rounded(a)      a store in the narrow type; does nothing to a leaf or to what is rounded
//
// Equal expressions have equal ids, so "the same bits on all ranks" is a comparison of numbers.
// Beside each expression stands the sum of 128-bit hashes of its leaves: it equals the sum over all
// ranks only if (almost surely) each of them contributes exactly once.
//
// Cost: constant time and about 40 bytes per distinct combination; leaves cost nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xccl {

using ExpressionId = std::uint32_t;
constexpr ExpressionId kUndefined = 0;

// Where partial results of low-precision types are rounded. kNone also stands for types that
// accumulate in themselves.
enum class Rounding : std::uint8_t {
    kNone,
    kAtOutput,    // messages and scratch are wide
    kEverywhere,  // every store and every message is narrow
};

// A sum of hashes, modulo 2^64 twice.
struct Contributions {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    Contributions& operator+=(const Contributions& other) {
        high += other.high;
        low += other.low;
        return *this;
    }
    bool operator==(const Contributions&) const = default;
};

class ExpressionTable {
  public:
    ExpressionTable() : ExpressionTable(1, 1) {}
    // rank_count * label_count must be below 2^31.
    ExpressionTable(int rank_count, std::uint32_t label_count);

    ExpressionId leaf(int rank, std::uint32_t label) const {
        return 1 + label * static_cast<std::uint32_t>(rank_count_) +
               static_cast<std::uint32_t>(rank);
    }
    ExpressionId combine(ExpressionId a, ExpressionId b);
    ExpressionId rounded(ExpressionId a);
    // The canonical tree: split at the largest power of two below the number of terms.
    ExpressionId combine_all(std::span<const ExpressionId> terms);

    // The canonical tree over all ranks' chunk `label`, rounded once at the end if at all.
    ExpressionId canonical(std::uint32_t label, Rounding rounding);

    Contributions contributions(ExpressionId id) const;
    Contributions of_all_ranks(std::uint32_t label) const;
    // Does every rank contribute, however often?
    bool covers_all_ranks(ExpressionId id);

    // "((x0 x1) x2)": x<rank>, and r(...) where a partial result is rounded. Of two operands the
    // one with the lowest rank stands first, so equal expressions of two tables read alike.
    std::string print(ExpressionId id) const;
    // Keeps the leaves only: their ids stay valid, all others do not.
    void forget_combinations();
    std::size_t node_count() const { return nodes_.size(); }

  private:
    struct Node {
        ExpressionId left;
        ExpressionId right;  // kUndefined: the node rounds `left`
        Contributions contributions;
    };
    struct Picture {
        std::uint32_t lowest_rank;
        std::string text;
    };
    Picture picture_of(ExpressionId id) const;
    bool is_leaf(ExpressionId id) const { return id <= leaf_count_; }
    const Node& node(ExpressionId id) const { return nodes_[id - leaf_count_ - 1]; }
    ExpressionId intern(ExpressionId left, ExpressionId right);
    void grow();

    int rank_count_;
    std::uint32_t leaf_count_;
    std::vector<Node> nodes_;
    std::vector<ExpressionId> buckets_;                // open addressing, a power of two
    std::vector<std::vector<std::uint64_t>> covered_;  // by node, for covers_all_ranks()
};

}  // namespace xccl
