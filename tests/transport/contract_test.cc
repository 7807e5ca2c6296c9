// Goal: what every transport promises, whatever carries the bytes: order, credit, bounded memory,
// every size from nothing to a full slot, signatures, lanes that do not disturb each other, waking,
// and the sight of a peer that leaves.
// Method: one suite over all kinds. Two ends are advanced in turn by one thread, or by two threads;
// every wait has a bound, so that a lost message fails instead of hanging.
// Covers: transport/poller.cc transport/tcp.cc transport/tcp_carrier.cc transport/tcp_gate.cc
// Covers: transport/tcp_hello.cc transport/tcp_listener.cc transport/tcp_peer.cc
// Covers: transport/tcp_stream.cc
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "transport/doorbell.h"
#include "transport/geometry.h"
#include "transport/shared_memory.h"
#include "transport/tcp.h"

namespace xccl {
namespace {

constexpr int kPatienceMs = 20000;

// Both ends of one pair, as the executor would see them.
struct End {
    std::unique_ptr<Transport> transport;
    std::unique_ptr<Link> link;
    Doorbell* bell = nullptr;  // this end's own, if it has one
    BarrierReach reach = BarrierReach::kProcess;

    Status progress() {
        if (!link->carrier) return ok_status();
        return status_of(link->carrier->progress());
    }
    void published(int lane) {
        if (link->carrier) return link->carrier->published(link->peer, lane);
        ring_if_sleeping(*link->doorbell);
    }
    void released(int lane) {
        if (link->carrier) return link->carrier->released(link->peer, lane);
        ring_if_sleeping(*link->doorbell);
    }
    bool flushed() const { return !link->carrier || link->carrier->flushed(); }
};

struct Pair {
    LaneGeometry geometry;
    End a, b;  // ranks 0 and 1
};

struct Kind {
    const char* name;
    std::function<Pair(LaneGeometry)> make;
    bool remote = false;
};

LaneGeometry small_geometry() {
    return {.flagged_slot_bytes = 256,
            .flagged_slot_count = 8,
            .slotted_slot_bytes = 32 * 1024 + 64,
            .slotted_slot_count = 4,
            .flagged_lanes = 2,
            .slotted_lanes = 2};
}

Pair make_private(LaneGeometry geometry) {
    auto segment = Segment::create_private(*SegmentLayout::make(2, geometry)).value();
    Pair pair{geometry, {}, {}};
    int rank = 0;
    for (End* end : {&pair.a, &pair.b}) {
        EXPECT_TRUE(segment->enrol(rank).ok());
        end->bell = &segment->doorbell(rank);
        end->transport =
            std::make_unique<SharedMemoryTransport>(segment, rank, std::vector<int>{0, 1});
        end->link = end->transport->connect(1 - rank).value();
        ++rank;
    }
    return pair;
}

// Two mappings of one memfd: the two ends have different addresses, as in two processes.
Pair make_memfd(LaneGeometry geometry) {
    const SegmentLayout layout = *SegmentLayout::make(2, geometry);
    auto mine = Segment::create(layout).value();
    auto theirs = Segment::attach(dup(mine->descriptor()), layout).value();
    Pair pair{geometry, {}, {}};
    int rank = 0;
    for (End* end : {&pair.a, &pair.b}) {
        auto& segment = rank == 0 ? mine : theirs;
        EXPECT_TRUE(segment->enrol(rank).ok());
        end->bell = &segment->doorbell(rank);
        end->reach = BarrierReach::kHost;
        end->transport =
            std::make_unique<SharedMemoryTransport>(segment, rank, std::vector<int>{0, 1});
        end->link = end->transport->connect(1 - rank).value();
        ++rank;
    }
    return pair;
}

struct TcpWishes {
    std::string address = "127.0.0.1";
    int stream_count = 1;
    int delay_ms = 0;
    int send_buffer_bytes = 0;
};

Pair make_tcp(LaneGeometry geometry, const TcpWishes& wishes) {
    auto listener_a = TcpListener::open({wishes.address}).value();
    auto listener_b = TcpListener::open({wishes.address, wishes.address}).value();
    const std::vector<std::vector<std::string>> endpoints = {listener_a->endpoints(),
                                                             listener_b->endpoints()};
    TcpOptions options{.rank_count = 2,
                       .geometry = geometry,
                       .stream_count = wishes.stream_count,
                       .delay_ms = wishes.delay_ms,
                       .send_buffer_bytes = wishes.send_buffer_bytes};
    options.secret.fill(7);
    Pair pair{geometry, {}, {}};
    pair.a.transport = TcpTransport::make(options, std::move(listener_a), endpoints).value();
    options.rank = 1;
    pair.b.transport = TcpTransport::make(options, std::move(listener_b), endpoints).value();
    pair.a.link = pair.a.transport->connect(1).value();
    pair.b.link = pair.b.transport->connect(0).value();
    return pair;
}

bool v6_loopback() {
    return TcpListener::open({"::1"}).ok();
}

std::vector<Kind> kinds() {
    std::vector<Kind> all = {
        {"InProcess", make_private},
        {"Memfd", make_memfd},
        {"Tcp", [](LaneGeometry g) { return make_tcp(g, {}); }, true},
        {"TcpStreams", [](LaneGeometry g) { return make_tcp(g, {.stream_count = 3}); }, true},
        {"TcpTinyBuffers",
         [](LaneGeometry g) { return make_tcp(g, {.stream_count = 2, .send_buffer_bytes = 1}); },
         true},
        {"TcpDelayed",
         [](LaneGeometry g) { return make_tcp(g, {.stream_count = 2, .delay_ms = 2}); }, true},
    };
    if (v6_loopback()) {
        all.push_back(
            {"TcpV6",
             [](LaneGeometry g) { return make_tcp(g, {.address = "::1", .stream_count = 2}); },
             true});
    }
    return all;
}

class Contract : public testing::TestWithParam<Kind> {
  protected:
    void SetUp() override { pair_ = GetParam().make(small_geometry()); }

    // Advances both ends until done() or patience ends.
    void advance_until(const std::function<bool()>& done) {
        const Deadline deadline = Deadline::after_ms(kPatienceMs);
        while (!done()) {
            ASSERT_FALSE(deadline.passed()) << "lost";
            for (End* end : {&pair_.a, &pair_.b}) {
                const Status status = end->progress();
                ASSERT_TRUE(status.ok()) << status.text();
            }
        }
    }

    // Content that tells lane, number and length.
    static std::byte content(int lane, std::uint32_t number, std::uint32_t index) {
        return static_cast<std::byte>((number * 31 + lane * 7 + index) & 0xff);
    }
    static void fill(std::byte* payload, int lane, std::uint32_t number, std::uint32_t bytes) {
        for (std::uint32_t i = 0; i < bytes; ++i) payload[i] = content(lane, number, i);
    }
    static bool intact(const Message& message, int lane, std::uint32_t number,
                       std::uint32_t bytes) {
        if (message.byte_count != bytes) return false;
        for (std::uint32_t i = 0; i < bytes; ++i) {
            if (message.payload[i] != content(lane, number, i)) return false;
        }
        return true;
    }
    static bool try_send(End& end, int lane, std::uint32_t number, std::uint32_t bytes) {
        Sender& sender = end.link->senders[static_cast<std::size_t>(lane)];
        std::byte* const payload = sender.reserve();
        if (payload == nullptr) return false;
        fill(payload, lane, number, bytes);
        sender.publish(bytes, number ^ 0x5a5a);
        end.published(lane);
        return true;
    }
    static Sender& sender(End& end, int lane) {
        return end.link->senders[static_cast<std::size_t>(lane)];
    }
    // The same by its address in `buffer`.
    static constexpr std::uint32_t kReferredBytes = 32 * 1024;
    static bool try_refer(End& end, int lane, std::uint32_t number,
                          std::vector<std::byte>* buffer) {
        std::byte* const slot = sender(end, lane).reserve();
        if (slot == nullptr) return false;
        fill(buffer->data(), lane, number, kReferredBytes);
        const std::byte* const place = buffer->data();
        std::memcpy(slot, &place, sizeof place);
        sender(end, lane).publish(kReferredBytes, number ^ 0x5a5a, MessageKind::kReference);
        end.published(lane);
        return true;
    }
    // The end wants that message in `buffer`.
    static void post(End& end, int lane, std::uint32_t number, std::uint32_t bytes,
                     std::vector<std::byte>* buffer) {
        std::fill(buffer->begin(), buffer->end(), kUntouched);
        const PostedReceive posted{.sequence = number + 1,
                                   .signature = number ^ 0x5a5a,
                                   .byte_count = bytes,
                                   .address = buffer->data()};
        end.link->carrier->post(end.link->peer, lane, posted);
    }
    static bool is_untouched(const std::vector<std::byte>& buffer) {
        return std::all_of(buffer.begin(), buffer.end(),
                           [](std::byte byte) { return byte == kUntouched; });
    }
    // The next message, wherever it lies.
    Message next_message(End& end, int lane) {
        Message message{};
        advance_until(
            [&] { return end.link->receivers[static_cast<std::size_t>(lane)].peek(&message); });
        if (message.kind == MessageKind::kPlaced) {
            std::memcpy(&message.payload, message.payload, sizeof message.payload);
        }
        return message;
    }
    static void release(End& end, int lane) {
        end.link->receivers[static_cast<std::size_t>(lane)].release();
        end.released(lane);
    }
    static constexpr std::byte kUntouched{0xee};
    static bool try_receive(End& end, int lane, std::uint32_t number, std::uint32_t bytes) {
        Receiver& receiver = end.link->receivers[static_cast<std::size_t>(lane)];
        Message message;
        if (!receiver.peek(&message)) return false;
        EXPECT_TRUE(intact(message, lane, number, bytes)) << "lane " << lane << " #" << number;
        EXPECT_EQ(message.signature, number ^ 0x5a5a);
        receiver.release();
        end.released(lane);
        return true;
    }

    Pair pair_;
};

TEST_P(Contract, EverySizeArrivesInOrder) {
    const int lane = pair_.geometry.point_to_point_lane();
    const std::uint32_t most = payload_bytes(pair_.geometry, pair_.geometry.flagged_lanes);
    std::vector<std::uint32_t> sizes = {0, 1, 7, 8, 63, 64, 65, 8191, 8192, 8193, most - 1, most};
    std::mt19937 random(1);
    for (int i = 0; i < 60; ++i) sizes.push_back(static_cast<std::uint32_t>(random() % (most + 1)));
    std::size_t sent = 0, received = 0;
    advance_until([&] {
        if (sent < sizes.size() && try_send(pair_.a, lane, sent, sizes[sent])) ++sent;
        if (received < sent && try_receive(pair_.b, lane, received, sizes[received])) ++received;
        return received == sizes.size();
    });
}

TEST_P(Contract, CreditBoundsWhatIsUnderWay) {
    // A receiver that reads nothing: at most two mailboxes full can be taken (one at each end where
    // memory is not shared), and all of them arrive later, in order.
    for (const int lane : {0, pair_.geometry.point_to_point_lane()}) {
        const bool flagged = pair_.geometry.is_flagged(lane);
        const std::uint32_t slots =
            flagged ? pair_.geometry.flagged_slot_count : pair_.geometry.slotted_slot_count;
        const std::uint32_t most = GetParam().remote ? 2 * slots : slots;
        std::uint32_t sent = 0;
        const Deadline quiet = Deadline::after_ms(100);
        advance_until([&] {
            sent += try_send(pair_.a, lane, sent, 16);
            return sent == most || (sent >= slots && quiet.passed());
        });
        for (int i = 0; i < 100; ++i) {
            EXPECT_TRUE(pair_.a.progress().ok() && pair_.b.progress().ok());
            sent += try_send(pair_.a, lane, sent, 16);
        }
        EXPECT_GE(sent, slots);
        EXPECT_LE(sent, most);
        std::uint32_t received = 0;
        advance_until([&] {
            received += try_receive(pair_.b, lane, received, 16);
            return received == sent;
        });
        Message none;
        EXPECT_FALSE(pair_.b.link->receivers[static_cast<std::size_t>(lane)].peek(&none));
    }
}

// Of what has been read, most may be owed without a word: whoever waits returns it.
TEST_P(Contract, WhoWaitsReturnsTheCreditThatItOwes) {
    if (!GetParam().remote) return;  // slots are free as soon as they are released
    const std::uint32_t slots = pair_.geometry.flagged_slot_count;
    const std::uint32_t owed = slots - 1;
    std::uint32_t sent = 0, received = 0;
    advance_until([&] {
        if (sent == received) sent += try_send(pair_.a, 0, sent, 16);  // never ahead
        received += try_receive(pair_.b, 0, received, 16);
        return received == owed;
    });
    const Deadline idle = Deadline::after_ms(50);
    advance_until([&] { return idle.passed(); });
    const Deadline deadline = Deadline::after_ms(kPatienceMs);
    while (sent < owed + 2 * slots) {  // the other end says nothing more
        ASSERT_FALSE(deadline.passed()) << sent;
        ASSERT_TRUE(pair_.a.progress().ok());
        sent += try_send(pair_.a, 0, sent, 16);
    }
}

TEST_P(Contract, ACarrierIsSettledOnceItsConnectionsStand) {
    if (!GetParam().remote) return;
    const auto is_settled = [](const End& end) { return end.link->carrier->is_settled(); };
    EXPECT_FALSE(is_settled(pair_.a) || is_settled(pair_.b));
    advance_until([&] { return is_settled(pair_.a) && is_settled(pair_.b); });
    ASSERT_TRUE(try_send(pair_.a, 0, 0, 16));
    advance_until([&] { return try_receive(pair_.b, 0, 0, 16); });
    advance_until([&] { return is_settled(pair_.a) && is_settled(pair_.b); });
}

TEST_P(Contract, LanesAndDirectionsDoNotDisturbEachOther) {
    // All lanes in both directions at once, each at a pace of its own; lane 1 of `a` is blocked by
    // its reader until everything else is through.
    const int lanes = pair_.geometry.lane_count();
    constexpr std::uint32_t kMessages = 60;
    struct Flow {
        End* from;
        End* to;
        int lane;
        std::uint32_t sent = 0, received = 0;
    };
    std::vector<Flow> flows;
    for (int lane = 0; lane < lanes; ++lane) {
        flows.push_back({&pair_.a, &pair_.b, lane});
        flows.push_back({&pair_.b, &pair_.a, lane});
    }
    std::mt19937 random(2);
    const auto bytes = [&](const Flow& flow, std::uint32_t number) {
        const std::uint32_t most =
            flow.from->link->senders[static_cast<std::size_t>(flow.lane)].view().payload_bytes();
        return (number * 7919u + static_cast<std::uint32_t>(flow.lane)) % (most + 1);
    };
    bool open_blocked = false;
    advance_until([&] {
        bool others_done = true, all_done = true;
        for (Flow& flow : flows) {
            const bool held = flow.lane == 1 && flow.from == &pair_.a && !open_blocked;
            if (flow.sent < kMessages && random() % 2) {
                flow.sent += try_send(*flow.from, flow.lane, flow.sent, bytes(flow, flow.sent));
            }
            if (!held && flow.received < flow.sent && random() % 2) {
                flow.received +=
                    try_receive(*flow.to, flow.lane, flow.received, bytes(flow, flow.received));
            }
            const bool done = flow.received == kMessages;
            all_done &= done;
            others_done &= done || (flow.lane == 1 && flow.from == &pair_.a);
        }
        open_blocked |= others_done;
        return all_done;
    });
}

TEST_P(Contract, AMessageMaySayWhereItLies) {
    if (!GetParam().remote)
        return;  // those of shared memory are the executor's: references_test.cc
    ASSERT_TRUE(pair_.a.link->by_address);
    const int lane = pair_.geometry.point_to_point_lane();
    std::vector<std::byte> buffer(kReferredBytes);
    for (std::uint32_t number = 0; number < 20; ++number) {
        ASSERT_TRUE(try_refer(pair_.a, lane, number, &buffer));
        const std::uint32_t sequence = number + 1;
        advance_until([&] { return sender(pair_.a, lane).is_consumed(sequence); });
        std::fill(buffer.begin(), buffer.end(), std::byte{0xee});  // it is the caller's again
        advance_until([&] { return try_receive(pair_.b, lane, number, kReferredBytes); });
    }
}

TEST_P(Contract, BuffersMayBeGivenBackBeforeTheirMessagesLeft) {
    if (!GetParam().remote) return;
    const int lane = pair_.geometry.point_to_point_lane();
    std::uint32_t sent = 0, received = 0;
    // At first no connection has formed yet; later, messages are partly in a socket that is full.
    for (int turn = 0; turn < 3; ++turn) {
        std::vector<std::vector<std::byte>> buffers(pair_.geometry.slotted_slot_count,
                                                    std::vector<std::byte>(kReferredBytes));
        for (auto& buffer : buffers) sent += try_refer(pair_.a, lane, sent, &buffer);
        pair_.a.link->carrier->keep_payloads();
        for (auto& buffer : buffers) std::fill(buffer.begin(), buffer.end(), std::byte{0xee});
        EXPECT_GT(sent, received);
        advance_until([&] {
            received += try_receive(pair_.b, lane, received, kReferredBytes);
            return received == sent && sender(pair_.a, lane).all_consumed();
        });
    }
}

TEST_P(Contract, AMessageIsPlacedWhereItIsWanted) {
    if (!GetParam().remote) return;
    const int lane = pair_.geometry.point_to_point_lane();
    std::uint32_t number = 0;
    for (const std::uint32_t bytes : {kReferredBytes, 5000u, kReferredBytes, 1u, 20000u, 16384u}) {
        std::vector<std::byte> buffer(bytes);
        post(pair_.b, lane, number, bytes, &buffer);
        ASSERT_TRUE(try_send(pair_.a, lane, number, bytes));
        const Message message = next_message(pair_.b, lane);
        EXPECT_EQ(message.kind, MessageKind::kPlaced);
        EXPECT_EQ(message.payload, buffer.data());
        EXPECT_TRUE(intact(message, lane, number, bytes)) << "#" << number;
        release(pair_.b, lane);
        ++number;
    }
}

// It said so behind its last messages, which the other end reads one by one. Credit for the first
// of them meets a closed socket.
TEST_P(Contract, WhoLeavesIsNotLostBeforeItsMessagesAreRead) {
    if (!GetParam().remote) return;
    const int lanes[] = {pair_.geometry.flagged_lanes, pair_.geometry.point_to_point_lane()};
    ASSERT_TRUE(try_send(pair_.a, lanes[0], 0, 1));
    advance_until([&] { return try_receive(pair_.b, lanes[0], 0, 1); });
    for (const int lane : lanes) {
        const std::uint32_t first = lane == lanes[0] ? 1 : 0;
        for (const std::uint32_t number : {first, first + 1}) {
            ASSERT_TRUE(try_send(pair_.a, lane, number, kReferredBytes));
        }
    }
    pair_.a = {};
    const Deadline deadline = Deadline::after_ms(kPatienceMs);
    for (const int lane : lanes) {
        const std::uint32_t first = lane == lanes[0] ? 1 : 0;
        for (const std::uint32_t number : {first, first + 1}) {
            while (!try_receive(pair_.b, lane, number, kReferredBytes)) {
                ASSERT_FALSE(deadline.passed()) << "lost";
                const Status status = pair_.b.progress();
                ASSERT_TRUE(status.ok()) << status.text();
            }
            const Status status = pair_.b.progress();
            ASSERT_TRUE(status.ok()) << status.text();
        }
    }
}

TEST_P(Contract, OnlyTheMessageThatIsWantedIsPlaced) {
    if (!GetParam().remote) return;
    const int lane = pair_.geometry.point_to_point_lane();
    std::vector<std::byte> buffer(kReferredBytes);
    const auto arrives_in_slot = [&](std::uint32_t number) {
        const Message message = next_message(pair_.b, lane);
        EXPECT_EQ(message.kind, MessageKind::kPayload);
        EXPECT_TRUE(intact(message, lane, number, kReferredBytes)) << "#" << number;
        release(pair_.b, lane);
        EXPECT_TRUE(is_untouched(buffer)) << "#" << number;
    };
    post(pair_.b, lane, 0, kReferredBytes - 1, &buffer);  // of another length
    ASSERT_TRUE(try_send(pair_.a, lane, 0, kReferredBytes));
    arrives_in_slot(0);
    const PostedReceive of_another_call{
        .sequence = 2, .signature = 7, .byte_count = kReferredBytes, .address = buffer.data()};
    pair_.b.link->carrier->post(0, lane, of_another_call);
    ASSERT_TRUE(try_send(pair_.a, lane, 1, kReferredBytes));
    arrives_in_slot(1);
    post(pair_.b, lane, 3, kReferredBytes, &buffer);  // the next but one
    ASSERT_TRUE(try_send(pair_.a, lane, 2, kReferredBytes));
    arrives_in_slot(2);
}

TEST_P(Contract, NothingIsPlacedInABufferThatWasGivenBack) {
    if (!GetParam().remote) return;
    const int lane = pair_.geometry.point_to_point_lane();
    std::vector<std::byte> buffer(kReferredBytes);
    // Given back before it comes, while it does, or when it has come.
    for (std::uint32_t number = 0; number < 30; ++number) {
        post(pair_.b, lane, number, kReferredBytes, &buffer);
        ASSERT_TRUE(try_send(pair_.a, lane, number, kReferredBytes));
        for (std::uint32_t looks = 0; looks < number; ++looks) {
            ASSERT_TRUE(pair_.a.progress().ok() && pair_.b.progress().ok());
        }
        pair_.b.link->carrier->keep_payloads();
        std::fill(buffer.begin(), buffer.end(), kUntouched);
        const Message message = next_message(pair_.b, lane);
        if (message.kind == MessageKind::kPayload) {
            EXPECT_TRUE(intact(message, lane, number, kReferredBytes)) << "#" << number;
        }
        EXPECT_TRUE(is_untouched(buffer)) << "#" << number;
        release(pair_.b, lane);
        advance_until([&] { return sender(pair_.a, lane).all_consumed(); });
    }
}

TEST_P(Contract, EverythingIsFlushedInTheEnd) {
    ASSERT_TRUE(try_send(pair_.a, 0, 0, 100));
    advance_until([&] { return pair_.a.flushed(); });
    advance_until([&] { return try_receive(pair_.b, 0, 0, 100); });
}

TEST_P(Contract, TwoThreadsThatSleepKeepEachOtherAwake) {
    // Each end waits for the other's message before it sends the next, asleep while it waits. A
    // lost wake-up would cost a whole sleep, of which there are far too many for the patience.
    const std::uint32_t turns = GetParam().remote ? 100 : 2000;
    const auto start = Clock::now();
    const auto run = [&](End& end, bool first) {
        const Deadline deadline = Deadline::after_ms(kPatienceMs);
        for (std::uint32_t i = 0; i < turns; ++i) {
            if (first) try_send(end, 0, i, 8);
            bool got = false;
            const auto look = [&] {
                EXPECT_TRUE(end.progress().ok());
                return got = got || try_receive(end, 0, i, 8);
            };
            while (!look() && !deadline.passed()) {
                if (end.bell) {
                    sleep_on(*end.bell, std::chrono::seconds(1), end.reach, true, look);
                } else {
                    pollfd wanted{end.link->carrier->poll_descriptor(), POLLIN, 0};
                    poll(&wanted, 1, 1000);
                }
            }
            if (!first) try_send(end, 0, i, 8);
        }
    };
    std::thread other([&] { run(pair_.b, false); });
    run(pair_.a, true);
    other.join();
    EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(kPatienceMs));
}

TEST_P(Contract, AStreamOfMessagesBetweenThreadsIsIntact) {
    constexpr std::uint32_t kMessages = 3000;
    std::atomic<bool> received_all{false};
    const auto bytes = [](std::uint32_t number) { return number * 37 % 200; };
    std::thread reader([&] {
        const Deadline deadline = Deadline::after_ms(kPatienceMs);
        for (std::uint32_t i = 0; i < kMessages && !deadline.passed();) {
            EXPECT_TRUE(pair_.b.progress().ok());
            if (try_receive(pair_.b, 1, i, bytes(i)))
                ++i;
            else
                std::this_thread::yield();
        }
        received_all.store(true);
    });
    std::uint32_t sent = 0;
    while (!received_all.load()) {
        EXPECT_TRUE(pair_.a.progress().ok());
        if (sent < kMessages && try_send(pair_.a, 1, sent, bytes(sent)))
            ++sent;
        else
            std::this_thread::yield();
    }
    reader.join();
    EXPECT_EQ(sent, kMessages);
    EXPECT_EQ(pair_.b.link->receivers[1].consumed(), kMessages);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Contract, testing::ValuesIn(kinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace xccl
