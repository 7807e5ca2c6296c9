#include "base/operation.h"

#include <fmt/format.h>

#include "base/datatypes.h"

namespace xccl {
namespace {

const char* op_name(std::uint8_t op) {
    return op == kPremulOp ? "premul_sum" : reduce_op_name(op);
}

const char* or_unknown(const char* name) {
    return name ? name : "?";
}

constexpr int kSumBits = 48;  // as many as addresses have
constexpr std::uint64_t kSumMask = (std::uint64_t{1} << kSumBits) - 1;

// Do the shares of the ranks stand in `count`?
bool has_shares(std::uint8_t coll) {
    return coll == xcclCollAllGatherv || coll == xcclCollReduceScatterv;
}

std::string_view operation_name(const OperationDescriptor& operation) {
    if (is_final(operation)) return "finalize";
    return or_unknown(coll_name(static_cast<xcclColl_t>(operation.coll)));
}

// " of 1048576 float32"
std::string amount_of(const OperationDescriptor& operation) {
    const char* type = or_unknown(datatype_name(static_cast<xcclDataType_t>(operation.datatype)));
    if (operation.coll == xcclCollBarrier) return {};
    if (operation.coll == xcclCollAlltoAllv) return fmt::format(" of {}", type);
    if (has_shares(operation.coll))
        return fmt::format(" of {} {} in all", operation.count & kSumMask, type);
    return fmt::format(" of {} {}", operation.count, type);
}

bool has_op(std::uint8_t coll) {
    return coll == xcclCollAllReduce || coll == xcclCollReduce || coll == xcclCollReduceScatter ||
           coll == xcclCollReduceScatterv;
}

std::uint64_t mix(std::uint64_t state, std::uint64_t value) {
    state = (state ^ value) * 0x9e3779b97f4a7c15u;
    return state ^ (state >> 29);
}

}  // namespace

std::uint32_t signature_of(const OperationDescriptor& operation) {
    const std::uint64_t small =
        static_cast<std::uint64_t>(static_cast<std::uint32_t>(operation.root)) << 32 |
        static_cast<std::uint64_t>(operation.coll) << 16 |
        static_cast<std::uint64_t>(operation.datatype) << 8 | operation.op;
    const std::uint64_t hash = mix(mix(mix(1, operation.sequence), operation.count), small);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::uint64_t count_of_shares(std::span<const std::uint64_t> shares) {
    std::uint64_t sum = 0, hash = 1;
    for (const std::uint64_t share : shares) {
        sum += share;
        hash = mix(hash, share);
    }
    return hash << kSumBits | (sum & kSumMask);
}

std::string describe(const OperationDescriptor& operation) {
    if (operation.coll == xcclCollSendRecv) {
        const bool is_send = operation.op == kSend;
        return fmt::format("{}{} {} rank {}", is_send ? "send" : "receive", amount_of(operation),
                           is_send ? "to" : "from", operation.root);
    }
    if (operation.sequence == 0) return "no operation yet";
    std::string text = fmt::format("{} #{}{}", operation_name(operation), operation.sequence,
                                   amount_of(operation));
    if (has_op(operation.coll)) text += fmt::format(", {}", or_unknown(op_name(operation.op)));
    if (operation.root >= 0) text += fmt::format(", root {}", operation.root);
    return text;
}

std::string difference(const OperationDescriptor& here, const OperationDescriptor& there) {
    std::string text;
    const auto note = [&](const char* what, auto mine, auto theirs) {
        if (mine == theirs) return;
        if (!text.empty()) text += "; ";
        text += fmt::format("{} {} here, {} there", what, mine, theirs);
    };
    const auto name = [](const char* n) { return std::string_view(or_unknown(n)); };
    note("operation", operation_name(here), operation_name(there));
    const auto count = [](const OperationDescriptor& o) {
        return has_shares(o.coll) ? o.count & kSumMask : o.count;
    };
    if (here.coll != xcclCollBarrier && there.coll != xcclCollBarrier)
        note("count", count(here), count(there));
    if (here.coll == there.coll && here.count != there.count && count(here) == count(there))
        note("the ranks' shares, of the same sum,", "some", "others");
    note("datatype", name(datatype_name(static_cast<xcclDataType_t>(here.datatype))),
         name(datatype_name(static_cast<xcclDataType_t>(there.datatype))));
    note("op", name(op_name(here.op)), name(op_name(there.op)));
    const auto root = [](int r) { return r < 0 ? std::string("none") : std::to_string(r); };
    note("root", root(here.root), root(there.root));
    note("position in the order of calls", here.sequence, there.sequence);
    return text;
}

}  // namespace xccl
