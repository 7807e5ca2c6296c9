// Goal: who hears on one connection what a peer is doing has heard what it did before, whichever
// connection told of that; and nothing that comes late hides what is newer. Large messages of a
// lane are on the connection where its reader looks first. Credit waits while the owner has better
// to do, but not until the sender is stuck. Method: the two ends of a pair of connections, which a
// test reads in the order that it likes.
#include "transport/tcp_peer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

namespace xccl {
namespace {

constexpr int kStreams = 2;
constexpr int kLargeLane = 1;

class TcpPeers : public testing::Test {
  protected:
    explicit TcpPeers(int slotted_lanes = 1, std::uint32_t slots = 4) {
        for (TcpShared* shared : {&shared_a_, &shared_b_}) {
            shared->geometry.flagged_lanes = 1;
            shared->geometry.slotted_lanes = slotted_lanes;
            shared->geometry.slotted_slot_count = slots;
            shared->stream_count = kStreams;
        }
        b_seen_from_a_ = TcpPeer::make(1, &shared_a_).value();
        a_seen_from_b_ = TcpPeer::make(0, &shared_b_).value();
        for (int stream = 0; stream < kStreams; ++stream) {
            std::array<int, 2> ends{};
            EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
            b_seen_from_a_->add_stream(stream, OwnedDescriptor(ends[0]));
            a_seen_from_b_->add_stream(stream, OwnedDescriptor(ends[1]));
        }
        link_ = b_seen_from_a_->make_link(nullptr);
    }
    // Rank 0 is in its next operation, and sends a message of it.
    void send(int lane, std::uint32_t bytes) {
        OperationDescriptor operation{};
        operation.sequence = ++shared_a_.operation_changes;
        shared_a_.recent[operation.sequence & (TcpShared::kRecentOperations - 1)] = operation;
        Sender& sender = link_->senders[static_cast<std::size_t>(lane)];
        ASSERT_NE(sender.reserve(), nullptr);
        sender.publish(bytes, 1);
        b_seen_from_a_->mark_published(lane);
        ASSERT_TRUE(b_seen_from_a_->pump().ok());
    }
    bool read(int stream) {
        const auto read = a_seen_from_b_->read(stream);
        EXPECT_TRUE(read.ok());
        return read.ok() && *read;
    }
    bool has_heard_of(std::uint64_t sequence) const {
        return a_seen_from_b_->heard().at(sequence).has_value();
    }

    TcpShared shared_a_;
    TcpShared shared_b_;
    std::unique_ptr<TcpPeer> b_seen_from_a_;
    std::unique_ptr<TcpPeer> a_seen_from_b_;
    std::unique_ptr<Link> link_;
};

TEST_F(TcpPeers, AStreamThatOvertakesTellsOfWhatTheOtherTold) {
    send(0, 8);                   // on the first connection
    send(kLargeLane, 16 * 1024);  // on the second one
    ASSERT_TRUE(read(1));
    EXPECT_TRUE(has_heard_of(2));
    EXPECT_TRUE(has_heard_of(1));
    EXPECT_TRUE(read(0));
    EXPECT_EQ(a_seen_from_b_->heard().latest()->sequence, 2u);
}

TEST_F(TcpPeers, WhatComesLateHidesNothingNewer) {
    send(kLargeLane, 16 * 1024);  // on the second connection, which is not read
    Receiver receiver = a_seen_from_b_->make_link(nullptr)->receivers[0];
    for (std::uint64_t sequence = 2; sequence <= OperationBoard::kEntryCount + 1; ++sequence) {
        Sender& sender = link_->senders[0];
        while (sender.reserve() == nullptr) FAIL() << "rank 1 has read all, and said so";
        send(0, 8);
        ASSERT_TRUE(read(0));
        Message message;
        ASSERT_TRUE(receiver.peek(&message));
        receiver.release();
        a_seen_from_b_->mark_released(0);
        ASSERT_TRUE(a_seen_from_b_->pump().ok());
        ASSERT_TRUE(b_seen_from_a_->read(0).ok());
    }
    ASSERT_TRUE(read(1));  // operation 1, whose place is that of 17
    EXPECT_TRUE(has_heard_of(OperationBoard::kEntryCount + 1));
}

class TcpPeersOfTwoLargeLanes : public TcpPeers {
  protected:
    TcpPeersOfTwoLargeLanes() : TcpPeers(2) {}
};

TEST_F(TcpPeers, ALaneThatHasAllConnectionsTakesThemInTurn) {
    for (const int stream : {1, 0, 1}) {
        send(kLargeLane, 16 * 1024);
        EXPECT_FALSE(read(1 - stream));
        EXPECT_TRUE(read(stream));
    }
}

TEST_F(TcpPeersOfTwoLargeLanes, EachLaneStaysOnItsConnection) {
    for (int i = 0; i < 3; ++i) {
        for (const int number : {0, 1}) {
            send(kLargeLane + number, 16 * 1024);
            EXPECT_FALSE(read(1 - number));
            EXPECT_TRUE(read(number));
            EXPECT_EQ(a_seen_from_b_->last_stream(), number);
            EXPECT_TRUE(a_seen_from_b_->reads_long());
        }
    }
    send(kLargeLane + 1, 8);  // small ones are looked for on the first
    EXPECT_TRUE(read(0));
    EXPECT_FALSE(a_seen_from_b_->reads_long());
}

// What rank 1 does with credit for so many messages of `bytes` that it has read: from the first
// number on it is returned when it waits, from the second one at once.
struct CreditRule {
    std::uint32_t slots;
    std::uint32_t bytes;
    std::uint32_t when_waiting;
    std::uint32_t at_once;
};

class TcpPeersCredit : public TcpPeers, public testing::WithParamInterface<CreditRule> {
  protected:
    TcpPeersCredit() : TcpPeers(1, GetParam().slots) {}
};

TEST_P(TcpPeersCredit, WaitsAndComesBeforeTheSenderIsStuck) {
    const std::uint32_t slots = shared_a_.geometry.slotted_slot_count;
    Receiver receiver = a_seen_from_b_->make_link(nullptr)->receivers[kLargeLane];
    std::uint32_t owed = 0;
    for (bool at_once = false; !at_once;) {
        send(kLargeLane, GetParam().bytes);
        read(0);
        read(1);
        Message message;
        ASSERT_TRUE(receiver.peek(&message));
        receiver.release();
        at_once = a_seen_from_b_->mark_released(kLargeLane);
        ++owed;
        EXPECT_EQ(a_seen_from_b_->owes_credit(), owed >= GetParam().when_waiting) << owed;
        EXPECT_EQ(shared_b_.credit_waits, owed >= GetParam().when_waiting) << owed;
        EXPECT_EQ(at_once, owed == GetParam().at_once) << owed;
        ASSERT_LE(owed, slots);
    }
    ASSERT_TRUE(a_seen_from_b_->pump().ok());
    EXPECT_FALSE(a_seen_from_b_->owes_credit());
    ASSERT_TRUE(b_seen_from_a_->read(0).ok());
    for (std::uint32_t i = 0; i < slots; ++i) send(kLargeLane, 8);
    EXPECT_TRUE(b_seen_from_a_->flushed());  // there was credit for all
}

// Who is behind does not wait, so that nobody would return it.
TEST_F(TcpPeers, CreditForSmallMessagesIsReturnedAtOnceIfMoreHaveCome) {
    const std::uint32_t slots = shared_a_.geometry.flagged_slot_count;
    ASSERT_GT(slots * 3 / 4, 1u);
    Receiver receiver = a_seen_from_b_->make_link(nullptr)->receivers[0];
    for (std::uint32_t i = 0; i < slots; ++i) send(0, 8);
    while (read(0)) {
    }
    for (std::uint32_t owed = 1; owed <= slots * 3 / 4; ++owed) {
        Message message;
        ASSERT_TRUE(receiver.peek(&message));
        receiver.release();
        EXPECT_EQ(a_seen_from_b_->mark_released(0), 4 * owed >= 3 * slots) << owed;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Rules, TcpPeersCredit,
    testing::Values(CreditRule{1, 8, 1, 1}, CreditRule{2, 8, 1, 2}, CreditRule{4, 8, 3, 4},
                    CreditRule{8, 8, 7, 8}, CreditRule{1, 16 * 1024, 1, 1},
                    CreditRule{2, 16 * 1024, 1, 1}, CreditRule{4, 16 * 1024, 2, 3},
                    CreditRule{8, 16 * 1024, 4, 7}),
    [](const auto& tested) {
        return std::to_string(tested.param.slots) + "SlotsOf" + std::to_string(tested.param.bytes);
    });

}  // namespace
}  // namespace xccl
