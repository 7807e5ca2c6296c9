#include "executor/mismatch.h"

#include <algorithm>

namespace xccl {
namespace {

constexpr char kAdvice[] =
    "call the same collectives in the same order with the same arguments on every rank";

Status describe_mismatch(const EngineContext& context, int peer, const OperationDescriptor& mine,
                         const OperationDescriptor& theirs) {
    Neighbourhood& neighbourhood = *context.neighbourhood;
    return invalid_usage("{} is in {}; {} is in {}: {}; {}", neighbourhood.name_of(context.rank),
                         describe(mine), neighbourhood.name_of(peer), describe(theirs),
                         difference(mine, theirs), kAdvice);
}

}  // namespace

std::optional<Status> find_mismatch(const EngineContext& context, int peer) {
    Neighbourhood& neighbourhood = *context.neighbourhood;
    const auto newest = neighbourhood.last_of(peer);
    if (!newest) return std::nullopt;
    const std::uint64_t last = std::min(newest->sequence, context.history.last());
    for (std::uint64_t sequence = context.history.first(); sequence <= last; ++sequence) {
        const auto mine = context.history.at(sequence);
        const auto theirs =
            sequence == newest->sequence ? newest : neighbourhood.at_of(peer, sequence);
        if (mine && theirs && *mine != *theirs) {
            return describe_mismatch(context, peer, *mine, *theirs);
        }
    }
    return std::nullopt;
}

Status explain_bad_message(const EngineContext& context, const OperationDescriptor& operation,
                           const BadMessage& message) {
    if (auto mismatch = find_mismatch(context, message.peer)) return std::move(*mismatch);
    Neighbourhood& neighbourhood = *context.neighbourhood;
    const std::string here = neighbourhood.name_of(context.rank);
    const std::string there = neighbourhood.name_of(message.peer);
    if (message.unreadable) {
        return system_error(
            "{} is in {} and cannot map the memory from xcclMemAlloc that {} sends from; raise the "
            "limit of address space (ulimit -v), or use ordinary buffers there",
            here, describe(operation), there);
    }
    if (message.other_call) {
        return invalid_usage("{} is in {}; {} has sent a message that belongs to another call: {}",
                             here, describe(operation), there, kAdvice);
    }
    // Where only the ends differ, the messages so far were of one length.
    const std::string mine = message.end == BadMessage::End::kMine ? ", its last," : "";
    const std::string theirs = message.end == BadMessage::End::kTheirs ? ", its last"
                               : message.end == BadMessage::End::kMine ? " and has more to send"
                                                                       : "";
    return invalid_usage(
        "{} is in {} and expects a message of {} bytes{} from {}, which sent {}{}: the counts of "
        "the two ranks differ; {}",
        here, describe(operation), message.expected_bytes, mine, there, message.byte_count, theirs,
        kAdvice);
}

}  // namespace xccl
