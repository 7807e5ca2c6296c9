// Goal: the k-th send meets the k-th receive, whatever their sizes, and pairs do not disturb each
// other or the collectives.
// Method: engines in one thread; every transfer's bytes are compared.
#include "executor/point_to_point.h"

#include <gtest/gtest.h>

#include <random>

#include "executor/handmade_steps.h"
#include "executor/launches.h"
#include "executor/rig.h"

namespace xccl::testing {
namespace {

using Bytes = std::vector<std::uint8_t>;

OperationDescriptor transfer(std::uint64_t count, xcclDataType_t type = xcclUint8) {
    OperationDescriptor descriptor;
    descriptor.count = count;
    descriptor.coll = xcclCollSendRecv;
    descriptor.datatype = static_cast<std::uint8_t>(type);
    return descriptor;
}

Bytes bytes_of(std::uint64_t seed, std::size_t size) {
    std::mt19937_64 random(seed);
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

Ticket send(Engine& engine, int peer, const Bytes& data) {
    return engine.submit_send(peer, in(data), data.size(), transfer(data.size())).value();
}
Ticket receive(Engine& engine, int peer, Bytes& data) {
    return engine.submit_recv(peer, out(data), data.size(), transfer(data.size())).value();
}

// Around the size of one slot less header, and of several.
const std::vector<std::size_t> kSizes{0, 1, 223, 224, 225, 240, 241, 464, 480, 481, 720, 721, 5000};

TEST(PointToPoint, MovesTransfersOfEverySizeInOrder) {
    Rig rig(2);
    std::vector<Bytes> sent, received;
    for (const std::size_t size : kSizes) {
        sent.push_back(bytes_of(size, size));
        received.emplace_back(size);
    }
    std::vector<Ticket> sends, receives;
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
        sends.push_back(send(rig.engine(0), 1, sent[i]));
        receives.push_back(receive(rig.engine(1), 0, received[i]));
    }
    EXPECT_FALSE(rig.engine(1).done(receives[0]));
    rig.settle();
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
        EXPECT_TRUE(rig.engine(0).done(sends[i]));
        EXPECT_TRUE(rig.engine(1).done(receives[i]));
        EXPECT_EQ(received[i], sent[i]) << kSizes[i] << " bytes";
    }
    EXPECT_TRUE(rig.engine(0).idle());
}

TEST(PointToPoint, ANothingIsWaitedForToo) {
    Rig rig(2);
    Bytes nothing;
    const Ticket ticket = receive(rig.engine(1), 0, nothing);
    rig.settle();
    EXPECT_FALSE(rig.engine(1).done(ticket));
    send(rig.engine(0), 1, nothing);
    rig.settle();
    EXPECT_TRUE(rig.engine(1).done(ticket));
}

TEST(PointToPoint, SendsToOneself) {
    Rig rig(1);
    for (const bool send_first : {true, false}) {
        const Bytes first = bytes_of(1, 3000), second = bytes_of(2, 10);
        Bytes got_first(3000), got_second(10), nothing;
        if (send_first) send(rig.engine(0), 0, first);
        receive(rig.engine(0), 0, got_first);
        rig.settle();
        if (!send_first) send(rig.engine(0), 0, first);
        send(rig.engine(0), 0, nothing);
        send(rig.engine(0), 0, second);
        rig.settle();
        EXPECT_FALSE(rig.engine(0).idle());
        receive(rig.engine(0), 0, nothing);
        receive(rig.engine(0), 0, got_second);
        rig.settle();
        EXPECT_TRUE(rig.engine(0).idle());
        EXPECT_TRUE(rig.engine(0).status().ok());
        EXPECT_EQ(got_first, first);
        EXPECT_EQ(got_second, second);
    }
}

// One peer that does not receive holds up its own queue and no other.
TEST(PointToPoint, QueuesAreIndependent) {
    Rig rig(3);
    const Bytes large = bytes_of(1, 4000), small = bytes_of(2, 40);
    Bytes got_large(4000), got_small(40), got_back(40);
    const Ticket to_1 = send(rig.engine(0), 1, large);
    const Ticket to_2 = send(rig.engine(0), 2, small);
    const Ticket back = receive(rig.engine(0), 2, got_back);
    receive(rig.engine(2), 0, got_small);
    send(rig.engine(2), 0, small);
    rig.settle();
    EXPECT_FALSE(rig.engine(0).done(to_1));
    EXPECT_TRUE(rig.engine(0).done(to_2));
    EXPECT_TRUE(rig.engine(0).done(back));
    const auto blockage = rig.engine(0).blockage();
    ASSERT_TRUE(blockage);
    EXPECT_TRUE(blockage->point_to_point);
    EXPECT_TRUE(blockage->for_credit);
    EXPECT_EQ(blockage->peer, 1);
    receive(rig.engine(1), 0, got_large);
    rig.settle();
    EXPECT_TRUE(rig.engine(0).done(to_1));
    EXPECT_EQ(got_large, large);
    EXPECT_EQ(got_small, small);
}

// A collective does not wait for transfers, nor they for it.
TEST(PointToPoint, RunsBesideCollectives) {
    Rig rig(2);
    std::vector<std::int32_t> ones(100, 1), sums_0(100), sums_1(100);
    Bytes got(100);
    const Bytes sent = bytes_of(1, 100);
    const Ticket pending = receive(rig.engine(0), 1, got);
    for (int rank = 0; rank < 2; ++rank) {
        auto launch = rig.engine(rank).prepare(
            make_launch(direct_all_reduce(rank, 2), rig.geometry(), {.count = 100}));
        rig.engine(rank).submit(*launch,
                                {.input = in(ones), .output = out(rank == 0 ? sums_0 : sums_1)});
        if (rank == 0) rig.settle();
    }
    rig.settle();
    EXPECT_EQ(sums_0[99], 2);
    EXPECT_FALSE(rig.engine(0).done(pending));
    send(rig.engine(1), 0, sent);
    rig.settle();
    EXPECT_EQ(got, sent);
}

TEST(PointToPoint, EveryPairAtOnceInRandomOrder) {
    constexpr int kRanks = 5;
    std::mt19937_64 random(11);
    Rig rig(kRanks);
    struct Exchange {
        int from, to;
        Bytes sent, received;
    };
    std::vector<Exchange> exchanges;
    for (int i = 0; i < 300; ++i) {
        const int from = static_cast<int>(random() % kRanks);
        const int to = static_cast<int>(random() % kRanks);
        const std::size_t size = kSizes[random() % kSizes.size()];
        exchanges.push_back({from, to, bytes_of(random(), size), Bytes(size)});
    }
    for (Exchange& e : exchanges) {
        send(rig.engine(e.from), e.to, e.sent);
        receive(rig.engine(e.to), e.from, e.received);
        rig.engine(static_cast<int>(random() % kRanks)).advance(1 + random() % 5);
    }
    rig.settle(1);
    for (int rank = 0; rank < kRanks; ++rank) EXPECT_TRUE(rig.engine(rank).idle());
    for (const Exchange& e : exchanges) EXPECT_EQ(e.received, e.sent);
}

TEST(PointToPoint, NamesBothSidesOfAMismatch) {
    const auto failure = [](std::uint64_t count, xcclDataType_t type, std::uint64_t other_count,
                            xcclDataType_t other_type, bool self) {
        Rig rig(2);
        Bytes data(80);
        const int sender = self ? 1 : 0;
        EXPECT_TRUE(
            rig.engine(sender)
                .submit_send(1, in(data), count * element_bytes(type), transfer(count, type))
                .ok());
        EXPECT_TRUE(rig.engine(1)
                        .submit_recv(sender, out(data), other_count * element_bytes(other_type),
                                     transfer(other_count, other_type))
                        .ok());
        rig.settle();
        EXPECT_EQ(rig.engine(1).status().code(), xcclInvalidUsage);
        return rig.engine(1).status().text();
    };
    EXPECT_EQ(failure(2, xcclFloat32, 3, xcclFloat32, false),
              "rank 1 on hostB receives 3 float32; rank 0 on hostA sends 2 float32 (transfer #1 of "
              "this pair): the counts differ; the k-th send to a rank must have the count and "
              "datatype of the k-th receive there");
    EXPECT_NE(failure(4, xcclInt32, 4, xcclFloat32, false).find("the datatypes differ"),
              std::string::npos);
    EXPECT_NE(failure(0, xcclInt8, 1, xcclInt8, false).find("0 int8"), std::string::npos);
    EXPECT_NE(failure(1, xcclInt8, 0, xcclInt8, false).find("0 int8"), std::string::npos);
    EXPECT_NE(failure(1, xcclInt8, 2, xcclInt8, true).find("rank 1 on hostB sends 1 int8"),
              std::string::npos);
}

// Puts `rank` into the barrier in which it finalizes; with nobody in it yet, it says so and waits.
void finalize(Rig& rig, int rank, Bytes& memory) {
    Launch launch = make_launch(direct_all_reduce(rank, rig.rank_count()), rig.geometry(),
                                {.coll = xcclCollBarrier, .count = 1, .flagged = true});
    launch.descriptor.count = kFinalBarrierCount;
    rig.engine(rank).submit(rig.engine(rank).prepare(std::move(launch)).value(),
                            {.input = in(memory), .output = out(memory)});
    rig.settle();
}

TEST(PointToPoint, IsEndedWhenThePeerHasCalledItsLast) {
    for (const bool is_send : {true, false}) {
        Rig rig(2);
        Bytes large(5000), memory(64);
        is_send ? send(rig.engine(0), 1, large) : receive(rig.engine(0), 1, large);
        rig.settle();
        for (int look = 0; look < 3; ++look) rig.engine(0).check_mismatch();
        EXPECT_TRUE(rig.engine(0).status().ok()) << "it may still come";
        finalize(rig, 1, memory);
        rig.engine(0).check_mismatch();
        EXPECT_TRUE(rig.engine(0).status().ok()) << "what it sent may be on its way";
        rig.engine(0).check_mismatch();
        EXPECT_EQ(rig.engine(0).status().code(), xcclInvalidUsage);
        EXPECT_NE(rig.engine(0).status().text().find(
                      is_send ? "sends 5000 uint8 to rank 1 on hostB (transfer #1 of this pair), "
                                "which has finalized"
                              : "receives 5000 uint8 from rank 1"),
                  std::string::npos)
            << rig.engine(0).status().text();
    }
}

TEST(PointToPoint, ASendWithoutAReceiveIsFoundInTheEnd) {
    for (const bool received : {true, false}) {
        Rig rig(2);
        Bytes data(3), place(3);
        send(rig.engine(0), 1, data);
        if (received) receive(rig.engine(1), 0, place);
        rig.settle();
        for (int rank = 0; rank < 2; ++rank) rig.engine(rank).check_unreceived();
        EXPECT_TRUE(rig.engine(1).status().ok()) << "it need not have looked at all";
        EXPECT_EQ(rig.engine(0).status().code(), received ? xcclSuccess : xcclInvalidUsage);
        if (received) continue;
        EXPECT_NE(rig.engine(0).status().text().find("has sent 3 uint8 to rank 1 on hostB"),
                  std::string::npos)
            << rig.engine(0).status().text();
    }
}

TEST(PointToPoint, RefusesAPeerThatDoesNotExist) {
    Rig rig(2);
    EXPECT_FALSE(rig.engine(0).submit_send(2, nullptr, 0, transfer(0)).ok());
    EXPECT_FALSE(rig.engine(0).submit_recv(-1, nullptr, 0, transfer(0)).ok());
}

}  // namespace
}  // namespace xccl::testing
