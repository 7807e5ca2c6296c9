#include "schedule/contract.h"

namespace xccl {
namespace {

bool is_root(const Party& party) {
    return party.rank == party.root;
}

bool has_one_input(Contract contract) {
    return contract == Contract::kAllGather || contract == Contract::kGather;
}

bool has_one_output(Contract contract) {
    return contract == Contract::kReduceScatter || contract == Contract::kScatter;
}

}  // namespace

const char* contract_name(Contract contract) {
    switch (contract) {
        case Contract::kAllReduce:
            return "all_reduce";
        case Contract::kReduce:
            return "reduce";
        case Contract::kBroadcast:
            return "broadcast";
        case Contract::kAllGather:
            return "all_gather";
        case Contract::kReduceScatter:
            return "reduce_scatter";
        case Contract::kAllToAll:
            return "all_to_all";
        case Contract::kGather:
            return "gather";
        case Contract::kScatter:
            return "scatter";
        case Contract::kBarrier:
            return "barrier";
    }
    return "unknown";
}

bool is_rooted(Contract contract) {
    return contract == Contract::kReduce || contract == Contract::kBroadcast ||
           contract == Contract::kGather || contract == Contract::kScatter;
}

bool is_combining(Contract contract) {
    return contract == Contract::kAllReduce || contract == Contract::kReduce ||
           contract == Contract::kReduceScatter || contract == Contract::kBarrier;
}

std::uint32_t input_chunk_count(const Party& party) {
    if (has_one_input(party.contract)) return 1;
    const bool only_root =
        party.contract == Contract::kBroadcast || party.contract == Contract::kScatter;
    return only_root && !is_root(party) ? 0 : party.chunk_count;
}

std::uint32_t output_chunk_count(const Party& party) {
    if (has_one_output(party.contract)) return 1;
    const bool only_root =
        party.contract == Contract::kReduce || party.contract == Contract::kGather;
    return only_root && !is_root(party) ? 0 : party.chunk_count;
}

std::optional<std::uint32_t> input_of(const Party& party, std::uint32_t work_chunk) {
    if (party.contract == Contract::kAllToAll || input_chunk_count(party) == 0) return std::nullopt;
    if (!has_one_input(party.contract)) return work_chunk;
    if (work_chunk != static_cast<std::uint32_t>(party.rank)) return std::nullopt;
    return 0;
}

std::optional<std::uint32_t> output_of(const Party& party, std::uint32_t work_chunk) {
    if (party.contract == Contract::kAllToAll || output_chunk_count(party) == 0) {
        return std::nullopt;
    }
    if (!has_one_output(party.contract)) return work_chunk;
    if (work_chunk != static_cast<std::uint32_t>(party.rank)) return std::nullopt;
    return 0;
}

std::uint32_t work_of_input(const Party& party, std::uint32_t chunk) {
    return has_one_input(party.contract) ? static_cast<std::uint32_t>(party.rank) : chunk;
}

std::uint32_t work_of_output(const Party& party, std::uint32_t chunk) {
    return has_one_output(party.contract) ? static_cast<std::uint32_t>(party.rank) : chunk;
}

std::uint64_t length_class(const Party& party, Space space, std::uint32_t chunk) {
    const bool is_input = space == Space::kInput;
    if (party.contract != Contract::kAllToAll) {
        return is_input ? work_of_input(party, chunk) : work_of_output(party, chunk);
    }
    const auto rank = static_cast<std::uint64_t>(party.rank);
    const std::uint64_t from = is_input ? rank : chunk;
    const std::uint64_t to = is_input ? chunk : rank;
    return from * static_cast<std::uint64_t>(party.rank_count) + to;
}

}  // namespace xccl
