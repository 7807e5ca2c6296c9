// What travels in a stream after the hello: frames, in the byte order of little-endian machines.
//
//     [FrameHeader 24][OperationDescriptor 24, if has_operation][payload, byte_count]
//
// Every number in a header is checked against bounds before it is used (tcp_peer.cc).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/operation.h"

namespace xccl {

static_assert(std::endian::native == std::endian::little, "frames are little-endian");

enum class FrameKind : std::uint8_t {
    kMessage = 1,    // of one lane
    kCredit = 2,     // nothing but `consumed`
    kOperation = 3,  // nothing but the descriptor
    kLeaving = 4,    // the sender has left in peace; the last frame of its stream
};

struct FrameHeader {
    static constexpr std::uint32_t kMagic = 0x31464358;  // "XCF1"
    std::uint32_t magic = kMagic;
    FrameKind kind = FrameKind::kMessage;
    std::uint8_t lane = 0;
    std::uint8_t has_operation = 0;
    std::uint8_t reserved = 0;
    std::uint32_t sequence = 0;    // kMessage: its place in the lane
    std::uint32_t signature = 0;   // kMessage: as in the mailbox
    std::uint32_t byte_count = 0;  // of the payload
    std::uint32_t consumed = 0;    // kMessage, kCredit: messages of this lane, in the other
                                   // direction, whose slots are free again
};
static_assert(sizeof(FrameHeader) == 24);

constexpr std::size_t kMaxFrameHeadBytes = sizeof(FrameHeader) + sizeof(OperationDescriptor);

}  // namespace xccl
