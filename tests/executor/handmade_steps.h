// Programs written by hand, so that what the engine does with a step can be seen without the passes
// that usually make one.
#pragma once

#include <memory>
#include <vector>

#include "schedule/steps.h"

namespace xccl::testing {

class StepsBuilder {
  public:
    StepsBuilder(int rank, int rank_count, std::uint32_t chunk_count = 1, int lane_count = 1) {
        steps_.rank = rank;
        steps_.rank_count = rank_count;
        steps_.chunk_count = chunk_count;
        steps_.lanes.resize(lane_count);
    }

    Operand input(std::uint32_t chunk) const { return {Space::kInput, 0, 0, chunk}; }
    Operand output(std::uint32_t chunk) const { return {Space::kOutput, 0, 0, chunk}; }
    Operand scratch(std::uint32_t chunk, std::uint32_t span = 1) {
        steps_.scratch_chunk_count = std::max(steps_.scratch_chunk_count, chunk + span);
        return {Space::kScratch, 0, 0, chunk};
    }
    Operand slot(int peer, std::uint32_t chunk) {
        std::uint16_t index = 0;
        while (index < steps_.peers.size() && steps_.peers[index] != peer) ++index;
        if (index == steps_.peers.size()) steps_.peers.push_back(static_cast<std::uint16_t>(peer));
        return {Space::kSlot, 0, index, chunk};
    }

    // The same step in every lane.
    StepsBuilder& step(const std::vector<Operand>& sources,
                       const std::vector<Operand>& destinations, std::uint32_t span = 1) {
        steps_.max_span = std::max(steps_.max_span, span);
        for (Lane& lane : steps_.lanes) {
            lane.steps.push_back(
                {.first_operand = static_cast<std::uint32_t>(lane.operands.size()),
                 .source_count = static_cast<std::uint16_t>(sources.size()),
                 .destination_count = static_cast<std::uint16_t>(destinations.size()),
                 .span = span,
                 .round = static_cast<std::uint32_t>(lane.steps.size())});
            lane.operands.insert(lane.operands.end(), sources.begin(), sources.end());
            lane.operands.insert(lane.operands.end(), destinations.begin(), destinations.end());
        }
        return *this;
    }

    std::shared_ptr<const Steps> build() const { return std::make_shared<Steps>(steps_); }

  private:
    Steps steps_;
};

// Everybody sends everything to everybody and adds up in rank order.
inline std::shared_ptr<const Steps> direct_all_reduce(int rank, int rank_count,
                                                      int lane_count = 1) {
    StepsBuilder builder(rank, rank_count, 1, lane_count);
    std::vector<Operand> everybody;
    std::vector<Operand> others;
    for (int peer = 0; peer < rank_count; ++peer) {
        everybody.push_back(peer == rank ? builder.input(0) : builder.slot(peer, 0));
        if (peer != rank) others.push_back(everybody.back());
    }
    if (rank_count > 1) builder.step({builder.input(0)}, others);
    builder.step(everybody, {builder.output(0)});
    return builder.build();
}

// Rank 0 sends chunk after chunk to 1, which passes it on to 2, and so on.
inline std::shared_ptr<const Steps> chain_broadcast(int rank, int rank_count,
                                                    std::uint32_t chunk_count, int lane_count = 1) {
    StepsBuilder builder(rank, rank_count, chunk_count, lane_count);
    for (std::uint32_t chunk = 0; chunk < chunk_count; ++chunk) {
        std::vector<Operand> destinations{builder.output(chunk)};
        if (rank + 1 < rank_count) destinations.push_back(builder.slot(rank + 1, chunk));
        builder.step({rank == 0 ? builder.input(chunk) : builder.slot(rank - 1, chunk)},
                     destinations);
    }
    return builder.build();
}

// Ring: reduce-scatter, then all-gather, of rank_count chunks; the partial sums stay in scratch.
inline std::shared_ptr<const Steps> ring_all_reduce_by_hand(int rank, int rank_count,
                                                            int lane_count = 1) {
    StepsBuilder builder(rank, rank_count, static_cast<std::uint32_t>(rank_count), lane_count);
    const auto chunk_at = [&](int position) {
        return static_cast<std::uint32_t>(((rank + position) % rank_count + rank_count) %
                                          rank_count);
    };
    const int next = (rank + 1) % rank_count;
    const int previous = (rank + rank_count - 1) % rank_count;
    builder.step({builder.input(chunk_at(0))}, {builder.slot(next, chunk_at(0))});
    for (int round = 1; round < rank_count; ++round) {
        const std::uint32_t chunk = chunk_at(-round);
        std::vector<Operand> destinations{builder.slot(next, chunk)};
        if (round == rank_count - 1) destinations.push_back(builder.output(chunk));
        builder.step({builder.slot(previous, chunk), builder.input(chunk)}, destinations);
    }
    for (int round = 1; round < rank_count; ++round) {
        const std::uint32_t chunk = chunk_at(1 - round);
        std::vector<Operand> destinations{builder.output(chunk)};
        if (round < rank_count - 1) destinations.push_back(builder.slot(next, chunk));
        builder.step({builder.slot(previous, chunk)}, destinations);
    }
    return builder.build();
}

// Block j goes to rank j. All-to-all in one round, own block copied.
inline std::shared_ptr<const Steps> direct_all_to_all(int rank, int rank_count) {
    StepsBuilder builder(rank, rank_count, static_cast<std::uint32_t>(rank_count));
    const auto self = static_cast<std::uint32_t>(rank);
    builder.step({builder.input(self)}, {builder.output(self)});
    for (int distance = 1; distance < rank_count; ++distance) {
        const auto to = static_cast<std::uint32_t>((rank + distance) % rank_count);
        const auto from = static_cast<std::uint32_t>((rank + rank_count - distance) % rank_count);
        builder.step({builder.input(to)}, {builder.slot(static_cast<int>(to), to)});
        builder.step({builder.slot(static_cast<int>(from), from)}, {builder.output(from)});
    }
    return builder.build();
}

}  // namespace xccl::testing
