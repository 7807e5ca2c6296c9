// Walks the steps of one lane over its tiles, as far as messages and credit allow.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "executor/prepared_launch.h"

namespace xccl {

// Room for the operands of one step. One per engine; grows when a launch is prepared.
struct Workspace {
    // By operand, of those that are messages: the payload; null: it need not be written, since it
    // lies elsewhere.
    std::vector<std::byte*> slots;
    std::vector<std::uint8_t> taken;  // by operand: will this rank write where the payload lies?
    std::vector<MessageKind> kinds;   // by message that is sent
    // By operand: where in the peer's heap the answer to that message may be put.
    static constexpr std::uint64_t kNoLanding = UINT64_MAX;
    std::vector<std::uint64_t> landings;
    // By operand, of a step that has_landing(): is that message written there?
    std::vector<std::uint8_t> landed;
    bool shared = false;  // their payload is in the outbox
    std::vector<ReduceSource> sources;
    std::vector<ReduceDestination> destinations;
    std::vector<ReduceDestination> streamed;  // those that are written past the caches
    void reserve(std::size_t operand_count);
};

// What was wrong with a message.
struct BadMessage {
    int peer = -1;
    bool other_call = false;  // else: the call is the same, the sizes differ
    bool unreadable = false;  // or it refers to memory that cannot be read
    enum class End : std::uint8_t { kSame, kMine, kTheirs };
    End end = End::kSame;  // whose block ends here, while the other's goes on
    std::uint64_t expected_bytes = 0;
    std::uint64_t byte_count = 0;
};

class LaneWalker {
  public:
    enum class Outcome : std::uint8_t { kOutOfBudget, kBlocked, kFinished, kBadMessage };

    // Room for the messages of one lane. Grows when a launch is prepared.
    void reserve(std::size_t end_count) {
        if (sent_as_.size() < end_count) sent_as_.resize(end_count, kNotReferred);
    }

    // The launch stays the caller's, and valid until the lane is finished.
    void start(const PreparedLaunch* launch, int lane_index, const Buffers& buffers,
               std::uint32_t signature);

    // Takes up to *budget steps and subtracts them from it.
    Outcome advance(Workspace& workspace, std::uint32_t* budget);
    bool finished() const { return walked() && !refers_; }

    // Of an unfinished lane: on whom, and what for.
    struct Wait {
        int peer;  // -1: nobody, it is its own turn
        bool for_credit;
    };
    Wait wait() const;
    const BadMessage& bad_message() const { return bad_message_; }
    std::uint64_t tile() const { return tile_; }
    std::uint32_t step_index() const {
        return static_cast<std::uint32_t>(step_ - lane_->steps.data());
    }
    int link_lane() const { return lane_->link_lane; }

  private:
    enum class Arrival : std::uint8_t { kAllThere, kMissing, kBad };

    bool walked() const { return tile_ >= tile_count_; }
    Outcome walk(Workspace& workspace, std::uint32_t& budget);
    template <bool kPlain>
    Arrival do_step(Workspace& workspace, const BoundStep& step);
    bool takes_place(const BoundStep& step, std::uint64_t elements);
    template <bool kPlain>
    Arrival gather(Workspace& workspace, const BoundStep& step, std::uint64_t byte_count);
    template <bool kPlain>
    std::byte* receive(Workspace& workspace, const BoundEnd& end, std::uint64_t byte_count);
    // gnu::noinline, here and below: small operations do not need it; advance() then has more
    // registers for them.
    [[gnu::noinline]] std::byte* look_up(Workspace& workspace, const BoundEnd& end,
                                         const Message& message);
    [[gnu::noinline]] void post(const BoundStep& step, std::uint64_t byte_count) const;
    template <bool kPlain>
    std::byte* reserve(const BoundEnd& end) const;
    void move(Workspace& workspace, const BoundStep& step, std::uint64_t elements) const;
    template <bool kPlain>
    void move_run(Workspace& workspace, const BoundStep& step, std::uint32_t index,
                  std::uint64_t elements, std::size_t message_offset) const;
    [[gnu::noinline]] void combine(Workspace& workspace, const BoundStep& step, std::uint32_t index,
                                   std::uint64_t elements, std::size_t message_offset,
                                   bool streamed) const;
    [[gnu::noinline]] bool is_streamed(const Workspace& workspace, const BoundStep& step) const;
    // Of the first chunk of the span in tile 0.
    std::byte* first_address(const BoundOperand& operand, std::byte* slot) const {
        if (operand.space == Space::kSlot) return slot;
        return bases_[static_cast<std::size_t>(operand.space)] + operand.first_offset;
    }
    std::byte* address(const BoundOperand& operand, std::byte* slot, std::uint32_t index,
                       std::size_t message_offset) const;
    // Then the lines that a step writes are those that it has read, on either side of a landing:
    // past the caches it would write them twice.
    bool is_in_place() const {
        return buffers_.input == buffers_.output &&
               launch_->input_bytes() == launch_->output_bytes();
    }
    bool streams() const { return launch_->streams() || buffers_.output_left; }
    bool is_referred(const BoundStep& step, std::uint64_t byte_count) const;
    void forget_references() {
        if (lane_->overwritten.empty()) return;
        std::fill(sent_as_.begin(), sent_as_.end(), kNotReferred);
    }
    bool may_offer_all(const BoundStep& step) const;
    bool is_divided(const Workspace& workspace, const BoundStep& step) const;
    [[gnu::noinline]] void move_share(Workspace& workspace, const BoundStep& step,
                                      std::uint64_t elements) const;
    static bool has_all_messages(const BoundStep& step);
    bool has_landing(const Workspace& workspace, const BoundStep& step) const;
    [[gnu::noinline]] void refer(Workspace& workspace, const BoundStep& step, bool referred,
                                 std::uint64_t byte_count);
    MessageKind refer_one(Workspace& workspace, const BoundStep& step, const BoundEnd& end);
    [[gnu::noinline]] bool share(Workspace& workspace, const BoundStep& step,
                                 std::uint64_t byte_count) const;
    template <bool kPlain>
    void publish(const BoundStep& step, std::uint64_t byte_count) const;
    [[gnu::noinline]] void publish_kinds(const Workspace& workspace, const BoundStep& step,
                                         std::uint64_t byte_count) const;
    [[gnu::noinline]] void take_ahead(const BoundStep& step, std::uint64_t byte_count) const;
    template <bool kPlain>
    void release(const BoundStep& step) const;
    const BoundEnd* unreleased() const;
    const BoundEnd* unread(const BoundStep& step) const;
    void finish_tile();

    const PreparedLaunch* launch_ = nullptr;
    const BoundLane* lane_ = nullptr;
    Buffers buffers_;
    std::array<std::byte*, 4> bases_{};  // by Space, but for messages
    std::uint32_t signature_ = 0;        // of the call
    std::uint32_t step_signature_ = 0;   // of the messages of the step at hand
    bool more_ = false;                  // they tell that more follows
    std::uint64_t tile_ = 0;
    std::uint64_t tile_count_ = 0;
    const BoundStep* step_ = nullptr;  // the one at hand
    const BoundStep* steps_end_ = nullptr;
    // In place: by end, the sequence number of the message of this tile that refers to the input.
    static constexpr std::uint64_t kNotReferred = UINT64_MAX;
    std::vector<std::uint64_t> sent_as_;
    bool refers_ = false;      // messages that may be read in this rank's buffers are on their way
    bool offers_all_ = false;  // the last messages of a BoundStep::offers offered the output to all
    std::uint32_t missing_ = 0;  // message that the step waited for when last tried
    BadMessage bad_message_;
};

}  // namespace xccl
