// Choosing: every algorithm that could carry out a request, what each would cost, and why those
// that may not run are refused. Pure, and a function of what all ranks agree on.
//
// The choice is by size alone where it can be: small messages cost rounds, large ones cost bytes,
// and the model knows both. No threshold is written down anywhere.
//
//     protocol   flagged if the whole operation is one tile whose every message fits a small slot
//     piece      the longest message is the slot, or a half, a quarter, ... of it: shorter ones
//                fill a pipeline sooner and cost more steps
//     copies     tiles under way at once, to work on one while another waits
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/cost_model.h"
#include "plan/overrides.h"
#include "plan/plan.h"
#include "plan/request.h"
#include "topology/topology.h"

namespace xccl {

// Of the links' mailboxes: agreed by all ranks when the communicator is made.
struct PlanLimits {
    std::uint32_t flagged_payload_bytes = 240;
    std::uint32_t slotted_payload_bytes = 64 * 1024;
    std::uint32_t flagged_slot_count = 8;
    std::uint32_t slotted_slot_count = 4;
    int flagged_lanes = 2;
    int slotted_lanes = 2;

    std::uint32_t payload_bytes(Protocol protocol) const {
        return protocol == Protocol::kFlagged ? flagged_payload_bytes : slotted_payload_bytes;
    }
    std::uint32_t slot_count(Protocol protocol) const {
        return protocol == Protocol::kFlagged ? flagged_slot_count : slotted_slot_count;
    }
    int lanes(Protocol protocol) const {
        return protocol == Protocol::kFlagged ? flagged_lanes : slotted_lanes;
    }
};

struct Candidate {
    const Algorithm* algorithm = nullptr;
    std::string refusal;         // why it may not run; empty: it may
    bool slow_to_prove = false;  // taken only if it is asked for, or if nothing else may run
    Choice choice;               // its best form, if it may
};

class Candidates {
  public:
    // `lanes`: parallel copies asked for; 0: as predicted.
    Candidates(Topology topology, PlanLimits limits, HostCosts costs, Overrides overrides,
               int lanes);

    // All algorithms of the request's contract, in the registry's order.
    std::vector<Candidate> consider(const Request& request);
    // The cheapest of those that may run, as long as the user has no other wish.
    Result<Choice> choose(const Request& request);

    const Topology& topology() const { return topology_; }
    const HostCosts& costs() const { return costs_; }
    Shape shape_of(int rank, int root) const;

  private:
    // What is known of an algorithm before a size is.
    struct Facts {
        std::string failure;  // it could not be compiled, or never proved
        bool slow_to_prove = false;
        std::uint32_t chunk_count = 1;
        std::uint32_t max_span = 1;
        int strand_count = 1;
        std::array<Profile, 2> profiles;  // by protocol
    };
    const Facts& facts_of(const Algorithm& algorithm, int root);
    Facts find_facts(const Algorithm& algorithm, int root) const;
    std::string refusal_of(const Algorithm& algorithm, const Request& request) const;
    Candidate candidate(const Algorithm& algorithm, const Request& request);
    void consider_form(const Facts& facts, const Choice& form, Candidate* best) const;

    const Topology topology_;
    const PlanLimits limits_;
    const HostCosts costs_;
    const Overrides overrides_;
    const int lanes_;
    std::map<std::pair<const Algorithm*, int>, Facts> facts_;
};

// Does this request have to be combined in the canonical order? Only rounding sees the order.
bool needs_canonical_order(const Request& request);
// And must its low-precision numbers travel as float32?
bool needs_wide_wire(const Request& request);
// "ring" for ring_all_reduce.
std::string_view short_name(const Algorithm& algorithm);
// Both forms of all names: what a user may ask for.
std::vector<std::string_view> algorithm_names();

}  // namespace xccl
