#include "schedule/verify_symmetric.h"

#include <algorithm>
#include <deque>
#include <map>

#include "schedule/check_steps.h"
#include "schedule/contract.h"

namespace xccl {
namespace {

std::uint32_t rotated(std::uint32_t index, std::uint32_t distance, std::uint32_t n) {
    return (index + distance) % n;
}

Status check_shape(const Steps& rank_0, const VerifyOptions& options) {
    const auto n = static_cast<std::uint32_t>(rank_0.rank_count);
    if (rank_0.rank != 0 || rank_0.chunk_count != n || rank_0.max_span != 1) {
        return internal_error("rotation: rank {}, {} chunks of {} ranks, spans up to {}",
                              rank_0.rank, rank_0.chunk_count, n, rank_0.max_span);
    }
    if (options.passes < 1 || options.slot_count < 1 || options.root != 0) {
        return internal_error("rotation: {} passes, {} slots, root {}", options.passes,
                              options.slot_count, options.root);
    }
    for (std::size_t lane = rank_0.strand_count; lane < rank_0.lanes.size(); ++lane) {
        if (!(rank_0.lanes[lane] == rank_0.lanes[lane - rank_0.strand_count])) {
            return internal_error("rotation: the copies of lane {} differ", lane);
        }
    }
    return check_steps(rank_0, {options.contract, 0, rank_0.rank_count, 0, n}, options.in_place);
}

// One lane of all ranks, in lockstep.
class Lockstep {
  public:
    Lockstep(const Steps& rank_0, std::size_t lane, const VerifyOptions& options)
        : steps_(rank_0),
          n_(static_cast<std::uint32_t>(rank_0.rank_count)),
          lane_(lane),
          slot_count_(options.slot_count),
          sent_(rank_0.peers.size()),
          incoming_(rank_0.peers.size()) {
        std::map<std::uint32_t, std::size_t> index_of_peer;
        for (std::size_t p = 0; p < steps_.peers.size(); ++p) index_of_peer[steps_.peers[p]] = p;
        for (std::size_t p = 0; p < steps_.peers.size(); ++p) {
            const auto opposite = index_of_peer.find(n_ - steps_.peers[p]);
            incoming_[p] = opposite == index_of_peer.end() ? kNone : opposite->second;
        }
    }

    Status run(int passes) {
        const Lane& lane = steps_.lanes[lane_];
        for (int pass = 0; pass < passes; ++pass) {
            for (step_ = 0; step_ < lane.steps.size(); ++step_) {
                XCCL_TRY(take(lane, lane.steps[step_]));
            }
        }
        for (std::size_t p = 0; p < sent_.size(); ++p) {
            if (!sent_[p].empty()) return wrong("messages to {} are left over", steps_.peers[p]);
        }
        return ok_status();
    }

  private:
    static constexpr std::size_t kNone = SIZE_MAX;

    template <typename... Args>
    Status wrong(fmt::format_string<Args...> text, Args&&... args) const {
        return internal_error("every rank as rank 0, lane {}, step {}: {}", lane_, step_,
                              fmt::format(text, std::forward<Args>(args)...));
    }

    // First all conditions, as everybody stands before the step; then everybody takes it.
    Status take(const Lane& lane, const Step& step) {
        for (const Operand& operand : lane.destinations(step)) {
            if (operand.space == Space::kSlot && sent_[operand.peer_index].size() >= slot_count_) {
                return wrong("deadlock: waits for a free slot to {} for ever",
                             steps_.peers[operand.peer_index]);
            }
        }
        for (const Operand& operand : lane.sources(step)) {
            if (operand.space == Space::kSlot) XCCL_TRY(receive(operand));
        }
        for (const Operand& operand : lane.destinations(step)) {
            if (operand.space == Space::kSlot) sent_[operand.peer_index].push_back(operand.chunk);
        }
        return ok_status();
    }

    Status receive(const Operand& operand) {
        const std::uint32_t peer = steps_.peers[operand.peer_index];
        const std::size_t opposite = incoming_[operand.peer_index];
        if (opposite == kNone || sent_[opposite].empty()) {
            return wrong("deadlock: waits for a message from {} for ever", peer);
        }
        const std::uint32_t chunk = rotated(sent_[opposite].front(), peer, n_);
        if (chunk != operand.chunk) {
            return wrong("expects chunk {} of {}, gets {}", operand.chunk, peer, chunk);
        }
        sent_[opposite].pop_front();
        return ok_status();
    }

    const Steps& steps_;
    const std::uint32_t n_;
    const std::size_t lane_;
    const std::uint32_t slot_count_;
    std::size_t step_ = 0;
    std::vector<std::deque<std::uint32_t>> sent_;  // by peer index: chunks not yet received
    std::vector<std::size_t> incoming_;            // by peer index: of the peer opposite
};

// Deals rank 0's steps out to the ranks that do the same to the class that stands for all.
class Slicer {
  public:
    Slicer(const Steps& rank_0, Contract contract)
        : steps_(rank_0),
          n_(static_cast<std::uint32_t>(rank_0.rank_count)),
          contract_(contract),
          chunk_count_(contract == Contract::kAllToAll ? n_ : 1) {}

    Result<std::vector<Steps>> run() {
        for (std::uint32_t rank = 0; rank < n_; ++rank) {
            Steps& steps = slices_.emplace_back();
            steps.rank = static_cast<int>(rank);
            steps.rank_count = static_cast<int>(n_);
            steps.chunk_count = chunk_count_;
            steps.scratch_chunk_count = (steps_.scratch_chunk_count + n_ - 1) / n_;
            steps.strand_count = steps_.strand_count;
            steps.lanes.resize(steps_.strand_count);
        }
        peer_index_.resize(n_);
        for (std::uint32_t lane = 0; lane < steps_.strand_count; ++lane) {
            for (const Step& step : steps_.lanes[lane].steps) {
                XCCL_TRY(deal(lane, steps_.lanes[lane], step));
            }
        }
        return std::move(slices_);
    }

  private:
    Status deal(std::uint32_t lane, const Lane& from, const Step& step) {
        std::uint32_t rank = 0;
        XCCL_ASSIGN(rank, owner_of(from, step));
        Lane& to = slices_[rank].lanes[lane];
        Step dealt = step;
        dealt.first_operand = static_cast<std::uint32_t>(to.operands.size());
        const std::size_t count = step.source_count + std::size_t{step.destination_count};
        for (std::size_t i = 0; i < count; ++i) {
            to.operands.push_back(image_of(from.operands[step.first_operand + i], rank));
        }
        to.steps.push_back(dealt);
        return ok_status();
    }

    // The rank to which rotation brings this step of rank 0, so that its class becomes the one
    // that stands for all. Of equal classes, any operand tells it.
    Result<std::uint32_t> owner_of(const Lane& lane, const Step& step) const {
        const Party party{contract_, 0, steps_.rank_count, 0, n_};
        const std::size_t count = step.source_count + std::size_t{step.destination_count};
        for (std::size_t i = 0; i < count; ++i) {
            const Operand& operand = lane.operands[step.first_operand + i];
            if (operand.space == Space::kInput || operand.space == Space::kOutput) {
                const std::uint64_t length = length_class(party, operand.space, operand.chunk);
                // all_to_all: from a to b is class a * n + b, and rotation brings a to 0.
                const std::uint64_t chunk = contract_ == Contract::kAllToAll ? length / n_ : length;
                return static_cast<std::uint32_t>((n_ - chunk) % n_);
            }
        }
        if (contract_ == Contract::kAllToAll) {
            return internal_error("rotation: a step of an all_to_all touches no buffer");
        }
        return (n_ - lane.operands[step.first_operand].chunk % n_) % n_;
    }

    Operand image_of(const Operand& operand, std::uint32_t rank) {
        Operand image = operand;
        switch (operand.space) {
            case Space::kScratch:
                image.chunk = operand.chunk / n_;
                break;
            case Space::kSlot:
                image.peer_index =
                    peer_index(rank, rotated(steps_.peers[operand.peer_index], rank, n_));
                image.chunk = chunk_count_ == 1 ? 0 : rotated(operand.chunk, rank, n_);
                break;
            case Space::kInput:  // of an all_to_all only rank 0's own, where nothing is rotated
                image.chunk = chunk_count_ == 1 ? 0 : operand.chunk;
                break;
            case Space::kOutput:
                image.chunk = 0;
                break;
        }
        return image;
    }

    std::uint16_t peer_index(std::uint32_t rank, std::uint32_t peer) {
        std::vector<std::uint16_t>& peers = slices_[rank].peers;
        const auto [entry, is_new] =
            peer_index_[rank].try_emplace(peer, static_cast<std::uint16_t>(peers.size()));
        if (is_new) peers.push_back(static_cast<std::uint16_t>(peer));
        return entry->second;
    }

    const Steps& steps_;
    const std::uint32_t n_;
    const Contract contract_;
    const std::uint32_t chunk_count_;
    std::vector<Steps> slices_;
    std::vector<std::map<std::uint32_t, std::uint16_t>> peer_index_;  // by rank
};

Result<Contract> contract_of_class(Contract contract) {
    switch (contract) {
        case Contract::kAllReduce:
            return Contract::kAllReduce;
        case Contract::kAllGather:
            return Contract::kBroadcast;
        case Contract::kReduceScatter:
            return Contract::kReduce;
        case Contract::kAllToAll:
            return Contract::kScatter;
        default:
            return internal_error("rotation: {} has no such symmetry", contract_name(contract));
    }
}

std::uint32_t rotated_chunk(const Operand& operand, const Party& party) {
    const auto rank = static_cast<std::uint32_t>(party.rank);
    const std::uint32_t n = party.chunk_count;
    const bool single = (operand.space == Space::kInput && input_chunk_count(party) == 1) ||
                        (operand.space == Space::kOutput && output_chunk_count(party) == 1);
    if (single) return operand.chunk;
    const std::uint32_t row = operand.space == Space::kScratch ? operand.chunk / n * n : 0;
    return row + rotated(operand.chunk % n, rank, n);
}

}  // namespace

Result<Proof> verify_rotation(const Steps& rank_0, const VerifyOptions& options) {
    XCCL_TRY(check_shape(rank_0, options));
    VerifyOptions of_class = options;
    XCCL_ASSIGN(of_class.contract, contract_of_class(options.contract));
    for (std::size_t lane = 0; lane < rank_0.strand_count; ++lane) {
        XCCL_TRY(Lockstep(rank_0, lane, options).run(options.passes));
    }
    XCCL_ASSIGN(const std::vector<Steps> slices, Slicer(rank_0, options.contract).run());
    XCCL_ASSIGN(Proof proof, verify(slices, of_class));
    proof.step_count *= slices.size();
    proof.message_count *= slices.size();
    proof.canonical = !is_combining(options.contract);
    return proof;
}

Steps rotation_of(const Steps& rank_0, int rank, Contract contract) {
    const auto n = static_cast<std::uint32_t>(rank_0.rank_count);
    const Party party{contract, rank, rank_0.rank_count, 0, rank_0.chunk_count};
    Steps image = rank_0;
    image.rank = rank;
    for (std::uint16_t& peer : image.peers) {
        peer = static_cast<std::uint16_t>(rotated(peer, static_cast<std::uint32_t>(rank), n));
    }
    for (Lane& lane : image.lanes) {
        for (Operand& operand : lane.operands) operand.chunk = rotated_chunk(operand, party);
    }
    return image;
}

Status is_rotation_of(const Steps& rank_0, const Steps& steps, const VerifyOptions& options) {
    const Steps image = rotation_of(rank_0, steps.rank, options.contract);
    for (std::size_t lane = 0; lane < image.lanes.size(); ++lane) {
        if (lane < steps.lanes.size() && !(steps.lanes[lane] == image.lanes[lane])) {
            return internal_error("rank {}, lane {}: its steps are not those of rank 0, rotated",
                                  steps.rank, lane);
        }
    }
    if (!(steps == image)) {
        return internal_error("rank {}: its shape or peers are not those of rank 0, rotated",
                              steps.rank);
    }
    return check_steps(steps,
                       {options.contract, steps.rank, steps.rank_count, 0, steps.chunk_count},
                       options.in_place);
}

}  // namespace xccl
