// Goal: strangers and impostors at the rendezvous cost the job nothing but a bounded number of
// descriptors; a rank that talks nonsense ends it with its name.
// Method: port scans, garbage, silence, slow speech and forged secrets while the ranks meet; ranks
// that know the secret and break the rules.
#include "bootstrap/root_server.h"

#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"
#include "job.h"
#include "trust/dial.h"

namespace xccl {
namespace {

class Attacked : public Job {
  protected:
    // Starts the ranks from 1 on, runs `attack`, then rank 0: all must be well.
    void expect_all_meet_in_spite_of(const std::function<void()>& attack) {
        constexpr int kRanks = 4;
        new_ids();
        std::vector<Status> results;
        std::thread others([&] {
            results = in_threads(kRanks - 1, [&](int i) { return take_part(ids_, i + 1, kRanks); });
        });
        attack();
        const Status mine = take_part(ids_, 0, kRanks);
        others.join();
        EXPECT_TRUE(mine.ok()) << mine.text();
        for (const Status& result : results) EXPECT_TRUE(result.ok()) << result.text();
    }
    OwnedDescriptor stranger() const {
        const SocketAddress address = rendezvous().addresses[0];
        OwnedDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(connect(socket.get(), address.get(), address.length), 0);
        return socket;
    }
    static void say(const OwnedDescriptor& socket, const std::string& words) {
        (void)send(socket.get(), words.data(), words.size(), MSG_NOSIGNAL);
    }
    // Somebody who knows the secret; what he says afterwards is his own affair.
    std::unique_ptr<FrameStream> insider(const std::string& hello) const {
        const Rendezvous where = rendezvous();
        auto connection = dial({.addresses = where.addresses,
                                .secret = where.secret,
                                .purpose = Purpose::kRendezvous,
                                .hello = hello},
                               soon(), nullptr);
        EXPECT_TRUE(connection.ok()) << connection.status().text();
        return std::make_unique<FrameStream>(std::move(connection->socket), kMaxFrameBytes);
    }
    std::unique_ptr<FrameStream> insider(int rank, int rank_count) const {
        Introduction introduction;
        introduction.first_rank = rank;
        introduction.rank_count = rank_count;
        introduction.process = {"badhost", 99};
        auto stream = insider(encode(introduction));
        EXPECT_EQ(next_frame(stream.get()).kind, kWelcome);
        return stream;
    }
    static Frame next_frame(FrameStream* stream) {
        std::optional<Frame> frame;
        EXPECT_TRUE(eventually([&] {
            frame = stream->receive().value();
            return frame || stream->ended();
        }));
        return frame.value_or(Frame{});
    }
};

TEST_F(Attacked, APortScan) {
    expect_all_meet_in_spite_of([&] {
        for (int i = 0; i < 500; ++i) stranger();
    });
}

TEST_F(Attacked, TenThousandGarbageConnections) {
    expect_all_meet_in_spite_of([&] {
        std::mt19937 random(1);
        for (int i = 0; i < 10000; ++i) {
            std::string words(1 + random() % 200, '\0');
            for (char& byte : words) byte = static_cast<char>(random());
            say(stranger(), words);
        }
    });
}

TEST_F(Attacked, SilentAndSlowConnectionsThatStay) {
    std::vector<OwnedDescriptor> silent;
    const std::size_t before = open_descriptors();
    expect_all_meet_in_spite_of([&] {
        for (int i = 0; i < 300; ++i) {
            silent.push_back(stranger());
            if (i % 2) say(silent.back(), "X");
        }
        constexpr std::size_t kMostInside = 128, kJob = 16;
        EXPECT_LE(open_descriptors(), before + silent.size() + kMostInside + kJob);
    });
}

TEST_F(Attacked, AnotherSecret) {
    expect_all_meet_in_spite_of([&] {
        Rendezvous forged = rendezvous();
        forged.secret[0] ^= 1;
        const Ids ids = {pack_id(forged)};
        const Status status = join(ids, 0, 4, soon(), nullptr).status();
        EXPECT_EQ(status.code(), xcclRemoteError);
        EXPECT_TRUE(mentions(status, "secret")) << status.text();
    });
}

TEST_F(Attacked, IntroductionsThatAreNone) {
    expect_all_meet_in_spite_of([&] {
        for (const std::string& hello : {std::string(), std::string(4000, '\xff')}) {
            const auto stream = insider(hello);
            const Frame frame = next_frame(stream.get());
            EXPECT_EQ(frame.kind, kFailed);
            EXPECT_EQ(decode_status(frame.body).code(), xcclRemoteError);
        }
    });
}

// A rank that breaks the rules in its own way, and what rank 0 is told.
struct Breach {
    const char* name;
    std::string bytes;
};
void PrintTo(const Breach& breach, std::ostream* out) {
    *out << breach.name;
}
class RuleBreaker : public Attacked, public testing::WithParamInterface<Breach> {};

TEST_P(RuleBreaker, EndsTheJobWithItsName) {
    new_ids();
    const auto bad = insider(1, 2);
    const std::string& bytes = GetParam().bytes;
    ASSERT_EQ(send(bad->fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    const Status status = take_part(ids_, 0, 2);
    EXPECT_EQ(status.code(), xcclRemoteError);
    EXPECT_TRUE(mentions(status, "rank 1 on badhost (pid 99)")) << status.text();
}

std::string frame_of(std::uint32_t size, std::uint8_t kind, const std::string& body) {
    return ByteWriter().put(size).put(kind).raw(body).take();
}
std::string whole_frame(std::uint8_t kind, const std::string& body) {
    return frame_of(static_cast<std::uint32_t>(body.size()), kind, body);
}
std::string a_part() {
    return encode(Gather{1000, std::string_view("\0\0\0\0", 4)});
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RuleBreaker,
    testing::Values(Breach{"Oversize", frame_of(0xffffffff, kGather, "x")},
                    Breach{"MoreThanOneRankMayBring", frame_of((1 << 20) + 200, kGather, "x")},
                    Breach{"UnknownKind", whole_frame(77, "x")},
                    Breach{"NotItsToSay", whole_frame(kWelcome, "x")},
                    Breach{"EmptyPart", whole_frame(kGather, "")},
                    Breach{"SurplusBytes", whole_frame(kGather, a_part() + "surplus")},
                    Breach{"TwoParts",
                           whole_frame(kGather, a_part()) + whole_frame(kGather, a_part())}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Attacked, AServerEndsWhenItIsTold) {
    auto socket = OwnedDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ASSERT_EQ(listen(socket.get(), 5), 0);
    auto server = RootServer::open(std::move(socket), make_secret()).value();
    std::mutex busy;
    std::atomic<bool> stop{false};
    std::thread thread([&] { server->run(&busy, &stop); });
    stop.store(true);
    {
        const std::lock_guard lock(busy);
        server->wake();
    }
    thread.join();
}

}  // namespace
}  // namespace xccl
