// The messages of the verifier: of all channels between all lanes, in one pool.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "schedule/expressions.h"

namespace xccl {

constexpr std::uint32_t kNoPlace = UINT32_MAX;

// Small: there may be one for each pair of ranks.
struct SymbolicMessage {
    std::uint32_t chunk = 0;
    std::uint32_t span = 0;
    std::uint64_t length_class = 0;
    std::unique_ptr<ExpressionId[]> several;  // values of the window, unless there is just one
    ExpressionId single = kUndefined;
    std::uint32_t next = kNoPlace;  // the one behind it in its channel, or another unused one
    ExpressionId* values() { return several ? several.get() : &single; }
};

// One direction of one lane between two ranks: a bounded queue with one writer and one reader. Of
// millions, most are empty: so the messages are elsewhere.
struct Channel {
    std::uint32_t oldest = kNoPlace;
    std::uint32_t newest = kNoPlace;
    std::uint32_t count = 0;
    std::uint32_t taken = 0;                  // of all that were ever written
    std::uint32_t waiting_walker = kNoPlace;  // reader or writer: never both wait
};

// The messages under way, in all channels. Places are used again.
class MessagePool {
  public:
    SymbolicMessage& oldest(const Channel& channel) { return messages_[channel.oldest]; }
    SymbolicMessage& add(Channel& channel) {
        std::uint32_t place = unused_;
        if (place == kNoPlace) {
            place = static_cast<std::uint32_t>(messages_.size());
            messages_.emplace_back();
        } else {
            unused_ = messages_[place].next;
        }
        messages_[place].next = kNoPlace;
        (channel.count == 0 ? channel.oldest : messages_[channel.newest].next) = place;
        channel.newest = place;
        ++channel.count;
        return messages_[place];
    }
    void remove_oldest(Channel& channel) {
        const std::uint32_t place = channel.oldest;
        channel.oldest = messages_[place].next;
        --channel.count;
        messages_[place].several.reset();
        messages_[place].next = unused_;
        unused_ = place;
    }

  private:
    std::deque<SymbolicMessage> messages_;  // grows without a second copy
    std::uint32_t unused_ = kNoPlace;
};

}  // namespace xccl
