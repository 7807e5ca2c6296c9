// Engines of n ranks in one thread, over mailboxes in this process. No transport, no clock: a test
// advances whom it likes, when it likes.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "executor/engine.h"
#include "executor/mailbox_memory.h"
#include "transport/geometry.h"

namespace xccl::testing {

// Small slots and short rings, so that little data goes through every state.
inline LaneGeometry small_geometry() {
    return {.flagged_slot_bytes = 128,
            .flagged_slot_count = 4,
            .slotted_slot_bytes = 320,
            .slotted_slot_count = 2,
            .flagged_lanes = 1,
            .slotted_lanes = 2};
}

class Rig {
  public:
    explicit Rig(int rank_count, LaneGeometry geometry = small_geometry()) : geometry_(geometry) {
        published_.resize(rank_count);
        for (int rank = 0; rank < rank_count; ++rank) {
            neighbourhoods_.push_back(std::make_unique<Neighbours>(this, rank));
            engines_.push_back(
                std::make_unique<Engine>(rank, rank_count, geometry, neighbourhoods_[rank].get()));
        }
    }

    int rank_count() const { return static_cast<int>(engines_.size()); }
    Engine& engine(int rank) { return *engines_[rank]; }
    const LaneGeometry& geometry() const { return geometry_; }

    // Advances all until nobody moves.
    void settle(std::uint32_t budget = 64) {
        bool moved = true;
        while (moved) {
            moved = false;
            for (auto& engine : engines_) moved |= engine->advance(budget);
        }
    }

    Link* link(int from, int to) { return neighbourhoods_[from]->link(to).value(); }

    // Peers can no longer find out what `rank` has called.
    void forget(int rank) { published_[rank].clear(); }

    // Ranks write once what several others read. Only before the first link is made.
    void use_outboxes() {
        for (int rank = 0; rank < rank_count(); ++rank) {
            outbox_memory_.emplace_back(outbox_bytes(geometry_));
            outboxes_.push_back(std::make_unique<Outbox>(outbox_view(rank)));
        }
    }

    // Gives every link this carrier. Only before the first link is made.
    void use_carrier(Carrier* carrier) { carrier_ = carrier; }

  private:
    class Neighbours : public Neighbourhood {
      public:
        Neighbours(Rig* rig, int rank) : rig_(*rig), rank_(rank) {}

        Result<Link*> link(int peer) override {
            auto& link = links_[peer];
            if (link == nullptr) {
                link = std::make_unique<Link>();
                link->peer = peer;
                link->senders = rig_.memory(rank_, peer).senders();
                link->receivers = rig_.memory(peer, rank_).receivers();
                link->carrier = rig_.carrier_;
                if (!rig_.outboxes_.empty()) {
                    link->outbox = rig_.outboxes_[rank_].get();
                    link->peer_outbox = rig_.outbox_view(peer);
                }
                for (int lane = rig_.geometry_.flagged_lanes;
                     rig_.carrier_ == nullptr && lane < rig_.geometry_.lane_count(); ++lane) {
                    link->senders[lane].share_trays(&link->receivers[lane], rank_ < peer);
                }
            }
            return link.get();
        }
        void publish(const OperationDescriptor& operation) override {
            rig_.published_[rank_][operation.sequence] = operation;
        }
        std::optional<OperationDescriptor> last_of(int peer) override {
            const auto& calls = rig_.published_[peer];
            if (calls.empty()) return std::nullopt;
            return calls.rbegin()->second;
        }
        std::optional<OperationDescriptor> at_of(int peer, std::uint64_t sequence) override {
            const auto& calls = rig_.published_[peer];
            const auto found = calls.find(sequence);
            if (found == calls.end()) return std::nullopt;
            return found->second;
        }
        std::string name_of(int peer) override {
            return fmt::format("rank {} on host{}", peer, static_cast<char>('A' + peer));
        }

      private:
        Rig& rig_;
        const int rank_;
        std::map<int, std::unique_ptr<Link>> links_;
    };

    OutboxView outbox_view(int rank) { return outbox_in(outbox_memory_[rank].data(), geometry_); }

    MailboxMemory& memory(int from, int to) {
        auto& memory = memory_[{from, to}];
        if (memory == nullptr) memory = std::make_unique<MailboxMemory>(geometry_);
        return *memory;
    }

    const LaneGeometry geometry_;
    Carrier* carrier_ = nullptr;
    std::vector<std::vector<std::byte>> outbox_memory_;  // by rank
    std::vector<std::unique_ptr<Outbox>> outboxes_;      // the same
    std::map<std::pair<int, int>, std::unique_ptr<MailboxMemory>> memory_;
    std::vector<std::map<std::uint64_t, OperationDescriptor>> published_;
    std::vector<std::unique_ptr<Neighbours>> neighbourhoods_;
    std::vector<std::unique_ptr<Engine>> engines_;
};

}  // namespace xccl::testing
