// A lane bound to a launch: all that is known of a step before its tile is, worked out once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "executor/launch.h"
#include "executor/piece_map.h"
#include "schedule/steps.h"
#include "transport/link.h"

namespace xccl {

struct BoundOperand {
    Space space = Space::kInput;
    bool wide = false;    // holds the type that is accumulated in, not the buffers'
    bool scaled = false;  // multiplied when it is read
    std::uint32_t chunk = 0;
    std::uint64_t first_offset = 0;  // bytes: in the buffer in tile 0, in scratch in every tile
};

// A message that a step reads or writes.
struct BoundEnd {
    Link* link = nullptr;
    Receiver* receiver = nullptr;  // if it reads
    Sender* sender = nullptr;      // if it writes
    std::uint32_t operand = 0;     // of the step
    // Of one that reads: the step writes to the same peer, where it has read if it can (mailbox.h).
    bool answered = false;
    // Of one that writes (references.h): offers to have its answer written into the output.
    bool offers = false;
    // Of one that writes: the operand with the message that it is the answer to; kNoAnswer: none.
    static constexpr std::uint16_t kNoAnswer = UINT16_MAX;
    std::uint16_t answers = kNoAnswer;
};

struct BoundStep {
    std::uint32_t first_operand = 0;  // sources, then destinations
    std::uint16_t source_count = 0;
    std::uint16_t destination_count = 0;
    std::uint32_t first_end = 0;  // messages that it reads, then those that it writes
    std::uint16_t receive_count = 0;
    std::uint16_t send_count = 0;
    const BoundEnd* ends = nullptr;  // the first one

    std::span<const BoundEnd> receives() const { return {ends, receive_count}; }
    std::span<const BoundEnd> sends() const { return {ends + receive_count, send_count}; }

    // The lengths of its pieces are read from its first operand in a buffer, else in scratch, else
    // from the chunk that its message carries. Chunk i of the span is (chunk + i) % modulus there.
    const PieceMap* map = nullptr;
    std::uint32_t chunk = 0;
    std::uint32_t modulus = 0;
    std::uint32_t span = 1;
    bool coalesced = false;  // the whole span is one run of bytes in every operand
    enum class Kind : std::uint8_t {
        kCopy,    // one source, whose bytes are written as they are
        kPair,    // two sources and one destination, all of the type that is accumulated in
        kReduce,  // anything else
    };
    Kind kind = Kind::kReduce;
    // The operand that its messages may refer to (references.h); kNoOperand: they hold their
    // payload.
    static constexpr std::uint16_t kNoOperand = UINT16_MAX;
    std::uint16_t referred = kNoOperand;
    // Where the payload of its messages may lie once for all that can read there; null: in each
    // message.
    Outbox* outbox = nullptr;
    // In BoundLane::overwritten: messages that must have been read before it writes, if they refer
    // to an input that is the output.
    std::uint32_t first_overwritten = 0;
    std::uint32_t overwritten_count = 0;
    bool answers = false;  // one of its messages is the answer to one of those that it reads
    bool lands = false;    // the message that it reads may be in its destination already
    bool offers = false;   // its messages offer all peers to write their shares of the output
    bool divides = false;  // it is divided among the ranks if all of them have offered that
    // It writes the output, of which no later step of its tile reads or writes that part.
    bool leaves_output = false;
    // It only moves a message of a carrier to a buffer of this rank's, as one run of bytes: the
    // operand that is that buffer. The message may be written there as it comes (link.h).
    std::uint16_t posted = kNoOperand;
    // In tile 0, all that small operations have, it always takes place, with messages that hold
    // their payload in their slot and one run of bytes, before which nothing is waited for, in
    // every operand.
    bool plain = false;
    // Of the whole span in tile 0; small operations have no other. Bytes: of its messages.
    std::uint64_t first_elements = 0;
    std::uint64_t first_bytes = 0;

    std::uint64_t elements(std::uint64_t tile) const {
        return tile == 0 ? first_elements : count_elements(tile);
    }
    std::uint64_t count_elements(std::uint64_t tile) const;
};

// Moved, never copied: steps point to ends.
struct BoundLane {
    BoundLane() = default;
    BoundLane(const BoundLane&) = delete;
    BoundLane& operator=(const BoundLane&) = delete;
    BoundLane(BoundLane&&) noexcept = default;
    BoundLane& operator=(BoundLane&&) noexcept = default;
    ~BoundLane() = default;

    int link_lane = 0;
    std::uint64_t first_tile = 0;
    std::uint64_t tile_stride = 1;
    std::vector<BoundStep> steps;
    std::vector<BoundOperand> operands;
    std::vector<BoundEnd> ends;
    std::vector<std::uint32_t> overwritten;    // indices of ends
    std::vector<std::uint32_t> output_chunks;  // that steps write; only if they are to be divided
    std::byte* scratch = nullptr;

    std::span<const BoundOperand> operands_of(const BoundStep& step) const {
        return {operands.data() + step.first_operand,
                step.source_count + std::size_t{step.destination_count}};
    }
    std::span<const BoundOperand> destinations(const BoundStep& step) const {
        return {operands.data() + step.first_operand + step.source_count, step.destination_count};
    }
};

// What a lane is bound to.
struct LaneBinding {
    const Launch& launch;
    const PieceMap& input;
    const PieceMap& output;
    const PieceMap& work;
    const std::vector<Link*>& links;  // by index of Steps::peers
    bool wide = false;                // messages and scratch hold the type that is accumulated in
    std::uint32_t wire_element_bytes = 0;
    std::size_t scratch_stride = 0;  // bytes from one chunk of scratch to the next
};
BoundLane bind_lane(const LaneBinding& binding, int index);

}  // namespace xccl
