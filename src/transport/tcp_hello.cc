#include "transport/tcp_hello.h"

#include <sys/socket.h>

#include <cerrno>

namespace xccl {
namespace {

template <class T>
std::span<const std::uint8_t> as_bytes(const T& value) {
    return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

template <class T>
std::span<std::byte> as_writable_bytes(T& value) {
    return {reinterpret_cast<std::byte*>(&value), sizeof value};
}

}  // namespace

std::uint64_t hash_of(const LaneGeometry& geometry) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::uint64_t number :
         {std::uint64_t{geometry.flagged_slot_bytes}, std::uint64_t{geometry.flagged_slot_count},
          std::uint64_t{geometry.slotted_slot_bytes}, std::uint64_t{geometry.slotted_slot_count},
          static_cast<std::uint64_t>(geometry.flagged_lanes),
          static_cast<std::uint64_t>(geometry.slotted_lanes)}) {
        hash = (hash ^ number) * 0x100000001b3u;
    }
    return hash;
}

TcpHelloExchange TcpHelloExchange::call(const TcpHelloTerms* terms, int peer, int stream) {
    TcpHelloExchange exchange(terms);
    exchange.state_ = State::kSendHello;
    exchange.peer_ = peer;
    exchange.hello_.from_rank = static_cast<std::uint32_t>(terms->rank);
    exchange.hello_.to_rank = static_cast<std::uint32_t>(peer);
    exchange.hello_.stream = static_cast<std::uint16_t>(stream);
    exchange.hello_.stream_count = static_cast<std::uint16_t>(terms->stream_count);
    exchange.hello_.geometry_hash = terms->geometry_hash;
    exchange.hello_.nonce = make_nonce();
    return exchange;
}

TcpHelloExchange TcpHelloExchange::answer(const TcpHelloTerms* terms) {
    return TcpHelloExchange(terms);
}

std::span<std::byte> TcpHelloExchange::bytes() {
    switch (state_) {
        case State::kSendHello:
        case State::kAwaitHello:
            return as_writable_bytes(hello_);
        case State::kSendReply:
        case State::kAwaitReply:
            return as_writable_bytes(reply_);
        default:
            return as_writable_bytes(proof_);
    }
}

TcpHelloExchange::Outcome TcpHelloExchange::advance(int socket) {
    while (state_ != State::kDone) {
        const auto left = bytes().subspan(moved_);
        const ssize_t count = sends() ? send(socket, left.data(), left.size(), MSG_NOSIGNAL)
                                      : recv(socket, left.data(), left.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            return sends() ? Outcome::kWantsWrite : Outcome::kWantsRead;
        }
        if (count <= 0) return Outcome::kRefused;
        moved_ += static_cast<std::size_t>(count);
        if (moved_ < bytes().size()) continue;
        moved_ = 0;
        if (!step()) return Outcome::kRefused;
    }
    return Outcome::kDone;
}

bool TcpHelloExchange::step() {
    switch (state_) {
        case State::kSendHello:
            state_ = State::kAwaitReply;
            return true;
        case State::kAwaitReply:
            if (!same_mac(reply_.mac, proof("listener"))) return false;
            proof_ = proof("caller");
            state_ = State::kSendProof;
            return true;
        case State::kAwaitHello:
            if (!acceptable()) return false;
            peer_ = static_cast<int>(hello_.from_rank);
            reply_.nonce = make_nonce();
            reply_.mac = proof("listener");
            state_ = State::kSendReply;
            return true;
        case State::kSendReply:
            state_ = State::kAwaitProof;
            return true;
        case State::kAwaitProof:
            if (!same_mac(proof_, proof("caller"))) return false;
            [[fallthrough]];
        default:
            state_ = State::kDone;
            return true;
    }
}

// The lower rank calls; nobody else is expected.
bool TcpHelloExchange::acceptable() const {
    return hello_.magic == TcpHello::kMagic && hello_.version == TcpHello::kVersion &&
           hello_.to_rank == static_cast<std::uint32_t>(terms_->rank) &&
           hello_.from_rank < hello_.to_rank &&
           hello_.stream_count == static_cast<std::uint16_t>(terms_->stream_count) &&
           hello_.stream < hello_.stream_count && hello_.geometry_hash == terms_->geometry_hash;
}

Mac TcpHelloExchange::proof(const char* role) const {
    return mac_of(terms_->secret, role, {as_bytes(hello_), reply_.nonce});
}

}  // namespace xccl
