// Memory for the mailboxes of one direction between two ranks of this process.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "transport/link.h"

namespace xccl::testing {

class MailboxMemory {
  public:
    explicit MailboxMemory(const LaneGeometry& geometry) : geometry_(geometry) {
        for (int lane = 0; lane < geometry.lane_count(); ++lane) {
            offsets_.push_back(bytes_);
            bytes_ += round_up(std::size_t{slot_count(lane)} * slot_bytes(lane));
        }
        memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kLine, bytes_)));
        consumed_ = std::vector<Line>(geometry.lane_count());
        std::memset(memory_.get(), 0, bytes_);
    }

    MailboxView view(int lane) {
        return {.slots = memory_.get() + offsets_[lane],
                .consumed = &consumed_[lane].word,
                .given_back = geometry_.is_flagged(lane) ? nullptr : consumed_[lane].given_back,
                .slot_count = slot_count(lane),
                .slot_bytes = slot_bytes(lane)};
    }

    // `start`: the number of messages before the first.
    std::vector<Sender> senders(std::uint32_t start = 0) { return ends<Sender>(start); }
    std::vector<Receiver> receivers(std::uint32_t start = 0) { return ends<Receiver>(start); }

    // As if `start` messages had come and gone.
    void begin_at(std::uint32_t start) {
        restart(start);
        for (int lane = 0; lane < geometry_.lane_count() && start > 0; ++lane) {
            for (std::uint32_t back = 0; back < slot_count(lane); ++back) {
                view(lane).publish(start - back, 0, 0);
            }
        }
    }

    // A new life over the same memory: counts start again, the slots keep what they held.
    void restart(std::uint32_t start = 0) {
        for (Line& line : consumed_) line.word.store(start, std::memory_order_relaxed);
    }

  private:
    template <class End>
    std::vector<End> ends(std::uint32_t start) {
        std::vector<End> all;
        for (int lane = 0; lane < geometry_.lane_count(); ++lane) {
            all.emplace_back(view(lane), start);
        }
        return all;
    }

    static constexpr std::size_t kLine = 64;
    struct alignas(kLine) Line {
        std::atomic<std::uint32_t> word{0};
        std::uint8_t given_back[Trays::kMostSlots] = {};
        Line() = default;
        Line(const Line&) {}  // only to make the vector
    };
    struct Free {
        void operator()(std::byte* memory) const { std::free(memory); }
    };
    static std::size_t round_up(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }
    std::uint32_t slot_count(int lane) const {
        return geometry_.is_flagged(lane) ? geometry_.flagged_slot_count
                                          : geometry_.slotted_slot_count;
    }
    std::uint32_t slot_bytes(int lane) const {
        return static_cast<std::uint32_t>(round_up(geometry_.is_flagged(lane)
                                                       ? geometry_.flagged_slot_bytes
                                                       : geometry_.slotted_slot_bytes));
    }

    const LaneGeometry geometry_;
    std::vector<std::size_t> offsets_;
    std::size_t bytes_ = 0;
    std::unique_ptr<std::byte, Free> memory_;
    std::vector<Line> consumed_;
};

}  // namespace xccl::testing
