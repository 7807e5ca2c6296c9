// What the two ends of a new connection say before anything else: who they are, and proofs that
// they know the communicator's secret.
//
//     caller   -> listener   TcpHello: from, to, stream, nonce
//     listener -> caller     nonce, MAC(secret, "listener", hello, nonce)
//     caller   -> listener   MAC(secret, "caller", hello, nonce)
//
// Neither side believes a word before it has the other's MAC. The listener reads at most 96 bytes
// of a stranger and answers with 64. Cost: one and a half round trips; frames may follow at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "transport/link.h"
#include "trust/secret.h"

namespace xccl {

struct TcpHello {
    static constexpr std::uint64_t kMagic = 0x78636c2d74637031;  // "xcl-tcp1"
    static constexpr std::uint32_t kVersion = 1;
    std::uint64_t magic = kMagic;
    std::uint32_t version = kVersion;
    std::uint32_t from_rank = 0;
    std::uint32_t to_rank = 0;
    std::uint16_t stream = 0;
    std::uint16_t stream_count = 0;
    std::uint64_t geometry_hash = 0;
    Nonce nonce{};
};
static_assert(sizeof(TcpHello) == 64);

struct TcpHelloReply {
    Nonce nonce{};
    Mac mac{};
};
static_assert(sizeof(TcpHelloReply) == 64);

// What a hello is checked against.
struct TcpHelloTerms {
    int rank = 0;
    int rank_count = 1;
    int stream_count = 1;
    std::uint64_t geometry_hash = 0;
    Secret secret{};
};

std::uint64_t hash_of(const LaneGeometry& geometry);

// One end of one hello, on a socket that does not block.
class TcpHelloExchange {
  public:
    static TcpHelloExchange call(const TcpHelloTerms* terms, int peer, int stream);
    static TcpHelloExchange answer(const TcpHelloTerms* terms);

    enum class Outcome { kWantsRead, kWantsWrite, kDone, kRefused };
    // Reads and writes what can be now; never a byte beyond the hello.
    Outcome advance(int socket);

    int peer() const { return peer_; }  // what answer() learned; believe it when kDone
    int stream() const { return hello_.stream; }

  private:
    enum class State {
        kSendHello,
        kAwaitReply,
        kSendProof,  // the caller's
        kAwaitHello,
        kSendReply,
        kAwaitProof,  // the listener's
        kDone
    };
    explicit TcpHelloExchange(const TcpHelloTerms* terms) : terms_(terms) {}

    std::span<std::byte> bytes();  // that this state sends or awaits
    bool sends() const {
        return state_ == State::kSendHello || state_ == State::kSendProof ||
               state_ == State::kSendReply;
    }
    bool step();  // the state's bytes are through; false: refused
    bool acceptable() const;
    Mac proof(const char* role) const;

    const TcpHelloTerms* terms_;
    State state_ = State::kAwaitHello;
    std::size_t moved_ = 0;  // bytes of this state
    int peer_ = -1;
    TcpHello hello_;
    TcpHelloReply reply_;
    Mac proof_{};
};

}  // namespace xccl
