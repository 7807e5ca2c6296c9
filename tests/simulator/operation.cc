#include "simulator/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/datatypes.h"
#include "base/float_types.h"

namespace xccl::simulator {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    return Random(a * 0x2545f4914f6cdd1du ^ b).next();
}

// ---- Numbers --------------------------------------------------------------------------------

// How many ranks contribute more than a zero (a one, of a product) to an element. Few enough that
// every partial result is exact in eight bits.
int contributor_count(const Operation& operation, int rank_count) {
    if (operation.op == xcclMax || operation.op == xcclMin) return rank_count;
    if (!is_float(operation.type)) return rank_count;
    if (operation.op == xcclAvg) return 1;  // x / n is rounded once, and nothing is added
    return std::min(rank_count, 3);
}

// A small number: what `rank` contributes to element `index`. `contributors` ranks do, beginning
// with one that the index chooses.
std::int64_t contribution(const Operation& operation, int rank, int rank_count, int contributors,
                          std::uint64_t index) {
    const std::uint64_t first = mix(operation.salt, index);
    const auto place =
        (static_cast<std::uint64_t>(rank) + first) % static_cast<std::uint64_t>(rank_count);
    const bool product = operation.op == xcclProd;
    if (place >= static_cast<std::uint64_t>(contributors)) return product ? 1 : 0;
    const std::uint64_t chance = (first >> 8) * (place + 1) % 251;
    if (product) return chance % 2 == 0 ? 2 : 1;
    const bool is_signed =
        operation.type != xcclUint8 && operation.type != xcclUint32 && operation.type != xcclUint64;
    return static_cast<std::int64_t>(chance % 4) - (is_signed && operation.op != xcclProd ? 1 : 0);
}

template <typename T>
T as_number(double value) {
    if constexpr (std::is_arithmetic_v<T>) {
        return static_cast<T>(value);
    } else {
        return narrow<T>(static_cast<float>(value));
    }
}

// Calls `act` with a value of the C++ type of `type`.
template <typename Act>
void with_type(xcclDataType_t type, Act&& act) {
    switch (type) {
        case xcclInt8:
            return act(std::int8_t{});
        case xcclUint8:
            return act(std::uint8_t{});
        case xcclInt32:
            return act(std::int32_t{});
        case xcclUint32:
            return act(std::uint32_t{});
        case xcclInt64:
            return act(std::int64_t{});
        case xcclUint64:
            return act(std::uint64_t{});
        case xcclFloat16:
            return act(Float16{});
        case xcclBfloat16:
            return act(Bfloat16{});
        case xcclFloat32:
            return act(float{});
        case xcclFloat64:
            return act(double{});
        case xcclFloat8e4m3:
            return act(Float8e4m3{});
        default:
            return act(Float8e5m2{});
    }
}

// What all contributions to an element come to.
template <typename T>
T combined_element(const Operation& operation, int rank_count, int contributors,
                   std::uint64_t index) {
    std::int64_t total = operation.op == xcclProd ? 1 : 0;
    const auto first = mix(operation.salt, index) % static_cast<std::uint64_t>(rank_count);
    for (int place = 0; place < contributors; ++place) {
        // The rank whose place is this one; the others contribute nothing.
        const int rank = static_cast<int>((static_cast<std::uint64_t>(place + rank_count) - first) %
                                          static_cast<std::uint64_t>(rank_count));
        const std::int64_t x = contribution(operation, rank, rank_count, contributors, index);
        if (operation.op == xcclProd) {
            total = static_cast<std::int64_t>(static_cast<std::uint64_t>(total) *
                                              static_cast<std::uint64_t>(x));
        } else if (operation.op == xcclMax || operation.op == xcclMin) {
            const bool better = operation.op == xcclMax ? x > total : x < total;
            if (place == 0 || better) total = x;
        } else {
            total += operation.premultiplied ? kFactor * x : x;
        }
    }
    if constexpr (std::is_integral_v<T>) {
        const T wrapped = static_cast<T>(total);
        using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
        if (operation.op != xcclAvg) return wrapped;
        return static_cast<T>(static_cast<Wide>(wrapped) / static_cast<Wide>(rank_count));
    } else if (operation.op != xcclAvg) {
        return as_number<T>(static_cast<double>(total));
    } else if constexpr (std::is_same_v<T, double>) {
        return static_cast<double>(total) * (1.0 / rank_count);
    } else {
        const float scaled = static_cast<float>(total) * static_cast<float>(1.0 / rank_count);
        // The others add zeros, which make -0 positive.
        return narrow<T>(widen(narrow<T>(scaled)) + 0.0f);
    }
}

// Any bits: of what is only copied.
void write_bits(std::uint64_t salt, std::uint64_t first, std::uint64_t count, std::size_t width,
                std::byte* destination) {
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t bits = mix(salt, first + i);
        std::memcpy(destination + i * width, &bits, width);
    }
}

// ---- Shapes ---------------------------------------------------------------------------------

Blocks blocks_of(std::vector<std::uint64_t> counts, std::uint64_t gap) {
    Blocks blocks;
    std::uint64_t next = 0;
    for (const std::uint64_t count : counts) {
        blocks.displacements.push_back(next);
        next += count + gap;
    }
    blocks.counts = std::move(counts);
    return blocks;
}

}  // namespace

std::uint64_t Blocks::total() const {
    return counts.empty() ? 0 : displacements.back() + counts.back();
}

bool Operation::combines() const {
    return coll == xcclCollAllReduce || coll == xcclCollReduce || coll == xcclCollReduceScatter ||
           coll == xcclCollReduceScatterv;
}

bool Operation::is_rooted() const {
    return coll == xcclCollReduce || coll == xcclCollBroadcast || coll == xcclCollGather ||
           coll == xcclCollScatter;
}

OperationDescriptor Operation::descriptor() const {
    OperationDescriptor descriptor;
    descriptor.coll = static_cast<std::uint8_t>(coll);
    descriptor.count = coll == xcclCollBarrier ? 1 : is_vector() ? count_of_shares(counts) : count;
    if (coll == xcclCollAlltoAllv) descriptor.count = 0;
    descriptor.datatype = static_cast<std::uint8_t>(type);
    descriptor.root = is_rooted() ? root : -1;
    if (combines()) descriptor.op = premultiplied ? kPremulOp : static_cast<std::uint8_t>(op);
    return descriptor;
}

std::string Operation::text() const {
    if (coll == xcclCollSendRecv) {
        return fmt::format("group of {} transfers of {}", transfers.size(), datatype_name(type));
    }
    OperationDescriptor numbered = descriptor();
    numbered.sequence = 1;  // 0 would be no operation
    std::string text = describe(numbered);
    if (is_vector()) text += fmt::format(", at most {} per block", count);
    if (in_place) text += ", in place";
    if (reproducible) text += ", reproducible";
    return text;
}

std::uint64_t pair_count(const Operation& operation, int from, int to) {
    const std::uint64_t chance =
        mix(operation.salt, static_cast<std::uint64_t>(from) << 32 | static_cast<unsigned>(to));
    return chance % 4 == 0 ? 0 : (chance >> 8) % (operation.count + 1);
}

Blocks input_blocks(const Operation& operation, int rank, int rank_count) {
    if (operation.coll != xcclCollAlltoAllv) return blocks_of(operation.counts, operation.gap);
    std::vector<std::uint64_t> counts;
    for (int to = 0; to < rank_count; ++to) counts.push_back(pair_count(operation, rank, to));
    return blocks_of(std::move(counts), operation.gap);
}

Blocks output_blocks(const Operation& operation, int rank, int rank_count) {
    if (operation.coll != xcclCollAlltoAllv) return blocks_of(operation.counts, operation.gap);
    std::vector<std::uint64_t> counts;
    for (int from = 0; from < rank_count; ++from) {
        counts.push_back(pair_count(operation, from, rank));
    }
    return blocks_of(std::move(counts), operation.gap);
}

std::uint64_t input_elements(const Operation& operation, int rank, int rank_count) {
    const auto n = static_cast<std::uint64_t>(rank_count);
    switch (operation.coll) {
        case xcclCollBroadcast:
            return rank == operation.root ? operation.count : 0;
        case xcclCollReduceScatter:
        case xcclCollAlltoAll:
            return n * operation.count;
        case xcclCollScatter:
            return rank == operation.root ? n * operation.count : 0;
        case xcclCollBarrier:
            return 0;
        case xcclCollAllGatherv:
            return operation.counts[static_cast<std::size_t>(rank)];
        case xcclCollReduceScatterv:
        case xcclCollAlltoAllv:
            return input_blocks(operation, rank, rank_count).total();
        default:
            return operation.count;
    }
}

std::uint64_t output_elements(const Operation& operation, int rank, int rank_count) {
    const auto n = static_cast<std::uint64_t>(rank_count);
    switch (operation.coll) {
        case xcclCollReduce:
            return rank == operation.root ? operation.count : 0;
        case xcclCollAllGather:
        case xcclCollAlltoAll:
            return n * operation.count;
        case xcclCollGather:
            return rank == operation.root ? n * operation.count : 0;
        case xcclCollBarrier:
            return 0;
        case xcclCollAllGatherv:
        case xcclCollAlltoAllv:
            return output_blocks(operation, rank, rank_count).total();
        case xcclCollReduceScatterv:
            return operation.counts[static_cast<std::size_t>(rank)];
        default:
            return operation.count;
    }
}

std::int64_t place_offset(const Operation& operation, int rank, int rank_count) {
    const bool at_root = rank == operation.root;
    const auto block = static_cast<std::int64_t>(rank) * static_cast<std::int64_t>(operation.count);
    if (!operation.in_place) return -1;
    switch (operation.coll) {
        case xcclCollAllReduce:
            return 0;
        case xcclCollReduce:
        case xcclCollBroadcast:
            return at_root ? 0 : -1;
        case xcclCollAllGather:
        case xcclCollReduceScatter:
            return block;
        case xcclCollGather:
        case xcclCollScatter:
            return at_root ? block : -1;
        case xcclCollAllGatherv:
            return static_cast<std::int64_t>(
                output_blocks(operation, rank, rank_count).displacements[rank]);
        case xcclCollReduceScatterv:
            return static_cast<std::int64_t>(
                input_blocks(operation, rank, rank_count).displacements[rank]);
        default:
            return -1;
    }
}

std::vector<Run> output_runs(const Operation& operation, int rank, int rank_count) {
    const std::uint64_t count = operation.count;
    const auto me = static_cast<std::uint64_t>(rank);
    std::vector<Run> runs;
    switch (operation.coll) {
        case xcclCollAllReduce:
            return {{0, -1, 0, count}};
        case xcclCollReduce:
            return rank == operation.root ? std::vector<Run>{{0, -1, 0, count}} : runs;
        case xcclCollBroadcast:
            return {{0, operation.root, 0, count}};
        case xcclCollReduceScatter:
            return {{0, -1, me * count, count}};
        case xcclCollScatter:
            return {{0, operation.root, me * count, count}};
        case xcclCollReduceScatterv: {
            const Blocks blocks = input_blocks(operation, rank, rank_count);
            return {{0, -1, blocks.displacements[me], blocks.counts[me]}};
        }
        case xcclCollGather:
            if (rank != operation.root) return runs;
            break;
        case xcclCollBarrier:
        case xcclCollSendRecv:
            return runs;
        default:
            break;
    }
    // What gathers: a block of every rank.
    const Blocks mine =
        operation.is_vector() ? output_blocks(operation, rank, rank_count) : Blocks{};
    for (int from = 0; from < rank_count; ++from) {
        const auto f = static_cast<std::uint64_t>(from);
        if (operation.coll == xcclCollAlltoAll) {
            runs.push_back({f * count, from, me * count, count});
        } else if (operation.coll == xcclCollAlltoAllv) {
            const Blocks theirs = input_blocks(operation, from, rank_count);
            runs.push_back({mine.displacements[f], from, theirs.displacements[me], mine.counts[f]});
        } else if (operation.coll == xcclCollAllGatherv) {
            runs.push_back({mine.displacements[f], from, 0, mine.counts[f]});
        } else {
            runs.push_back({f * count, from, 0, count});
        }
    }
    return runs;
}

void write_input(const Operation& operation, int rank, int rank_count, std::uint64_t first,
                 std::uint64_t count, std::byte* destination) {
    const std::size_t width = element_bytes(operation.type);
    if (!operation.combines()) {
        const std::uint64_t salt = mix(operation.salt, static_cast<std::uint64_t>(rank));
        return write_bits(salt, first, count, width, destination);
    }
    const int contributors = contributor_count(operation, rank_count);
    with_type(operation.type, [&](auto zero) {
        using T = decltype(zero);
        for (std::uint64_t i = 0; i < count; ++i) {
            const T value = as_number<T>(static_cast<double>(
                contribution(operation, rank, rank_count, contributors, first + i)));
            std::memcpy(destination + i * width, &value, width);
        }
    });
}

void write_combined(const Operation& operation, int rank_count, std::uint64_t first,
                    std::uint64_t count, std::byte* destination) {
    const std::size_t width = element_bytes(operation.type);
    const int contributors = contributor_count(operation, rank_count);
    with_type(operation.type, [&](auto zero) {
        using T = decltype(zero);
        for (std::uint64_t i = 0; i < count; ++i) {
            const T value = combined_element<T>(operation, rank_count, contributors, first + i);
            std::memcpy(destination + i * width, &value, width);
        }
    });
}

}  // namespace xccl::simulator
