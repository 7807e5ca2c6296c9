#include "comm/membership.h"

#include <nlohmann/json.hpp>

namespace xccl {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxAddresses = 64;

std::vector<double> numbers_of(const MeasuredCosts& costs) {
    std::vector<double> numbers;
    numbers.reserve(kMeasuredFields.size());
    for (const MeasuredField& field : kMeasuredFields) numbers.push_back(costs.*field.value);
    return numbers;
}

// Alike on all ranks, whoever told them; but for the caches, which only ranks of that machine use.
MeasuredCosts costs_of(const std::vector<double>& numbers) {
    MeasuredCosts costs;
    for (std::size_t i = 0; i < numbers.size(); ++i) costs.*kMeasuredFields[i].value = numbers[i];
    return believable(costs);
}

}  // namespace

std::string encode_member(const Member& member) {
    const std::string place = encode_rank_info(member.place);
    const json fields = {{"version", XCCL_VERSION_CODE},
                         {"place", json::binary({place.begin(), place.end()})},
                         {"host", member.host_name},
                         {"pid", member.pid},
                         {"tcp", member.tcp_addresses},
                         {"reproducible", member.reproducible},
                         {"lanes", member.lanes},
                         {"slot_bytes", member.slot_bytes},
                         {"tcp_only", member.tcp_only},
                         {"algorithm", member.algorithm},
                         {"origin", member.origin_rank},
                         {"cost_origin", member.cost_origin},
                         {"costs", numbers_of(member.costs)}};
    std::string bytes;
    json::to_cbor(fields, bytes);
    return bytes;
}

// The sender has proved that it knows the secret; what it says is checked all the same, since it
// may be another version.
Result<Member> decode_member(const std::string& bytes) {
    const json fields = json::from_cbor(bytes, true, false);
    const auto malformed = [] {
        return remote_error(
            "a rank introduced itself in a way that this version of xccl does not understand; use "
            "the "
            "same version on all hosts");
    };
    if (!fields.is_object()) return malformed();
    Member member;
    try {
        if (fields.at("version").get<int>() != XCCL_VERSION_CODE) {
            return remote_error(
                "a rank runs xccl {}, this one {}; use the same version on all hosts",
                fields.at("version").get<int>(), XCCL_VERSION_CODE);
        }
        const auto& place = fields.at("place").get_binary();
        XCCL_ASSIGN(member.place, decode_rank_info(std::string(place.begin(), place.end())));
        member.host_name = fields.at("host").get<std::string>().substr(0, 255);
        member.pid = fields.at("pid").get<std::int64_t>();
        member.origin_rank = fields.at("origin").get<std::int32_t>();
        member.tcp_addresses = fields.at("tcp").get<std::vector<std::string>>();
        member.reproducible = fields.at("reproducible").get<bool>();
        member.lanes = fields.at("lanes").get<std::int64_t>();
        member.slot_bytes = fields.at("slot_bytes").get<std::int64_t>();
        member.tcp_only = fields.at("tcp_only").get<bool>();
        member.algorithm = fields.at("algorithm").get<std::string>();
        const auto cost_origin = fields.at("cost_origin").get<std::uint64_t>();
        const auto numbers = fields.at("costs").get<std::vector<double>>();
        if (cost_origin > static_cast<std::uint64_t>(CostOrigin::kRead)) return malformed();
        if (numbers.size() != kMeasuredFields.size()) return malformed();
        member.cost_origin = static_cast<CostOrigin>(cost_origin);
        member.costs = costs_of(numbers);
    } catch (const json::exception&) {
        return malformed();
    }
    if (member.tcp_addresses.size() > kMaxAddresses) return malformed();
    return member;
}

int Membership::rank_of_costs() const {
    if (members[0].cost_origin == CostOrigin::kOff) return -1;
    for (int rank = 0; rank < rank_count(); ++rank) {
        if (is_of_machine(members[static_cast<std::size_t>(rank)].cost_origin)) return rank;
    }
    return -1;
}

int Membership::rank_of_caches(int rank) const {
    if (members[0].cost_origin == CostOrigin::kOff) return -1;
    const auto machine =
        static_cast<std::size_t>(topology.machine_of_rank[static_cast<std::size_t>(rank)]);
    for (const int other : topology.ranks_of_machine[machine]) {
        if (is_of_machine(members[static_cast<std::size_t>(other)].cost_origin)) return other;
    }
    return -1;
}

std::string Membership::name_of(int peer) const {
    const Member& member = members[static_cast<std::size_t>(peer)];
    const std::string origin = member.origin_rank < 0
                                   ? ""
                                   : fmt::format(" (rank {} before the split)", member.origin_rank);
    return fmt::format("rank {}{} on {} (pid {})", peer, origin, member.host_name, member.pid);
}

}  // namespace xccl
