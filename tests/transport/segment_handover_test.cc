// Goal: every process of the host gets the segment, and nobody else does; those who try cost the
// others nothing.
// Method: visitors in threads and in processes of their own; strangers who are silent, who talk
// nonsense, who have another secret, who are another user.
#include "transport/segment_handover.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "base/unix_address.h"
#include "layout_of.h"
#include "rank_process.h"

namespace xccl {
namespace {

Secret secret_of(std::uint8_t byte) {
    Secret secret;
    secret.fill(byte);
    return secret;
}

class Handover : public testing::Test {
  protected:
    void SetUp() override {
        segment_ = Segment::create(layout_of(kRanks)).value();
        handover_ = SegmentHandover::open(segment_, secret_of(1)).value();
    }
    // Somebody who connects and says what he is told to, or nothing.
    OwnedDescriptor stranger(const std::string& words) const {
        OwnedDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        const UnixAddress address = abstract_address(handover_->name());
        EXPECT_EQ(connect(socket.get(), address.get(), address.length), 0);
        if (!words.empty()) send(socket.get(), words.data(), words.size(), MSG_NOSIGNAL);
        return socket;
    }

    static constexpr int kRanks = 5;
    std::shared_ptr<Segment> segment_;
    std::unique_ptr<SegmentHandover> handover_;
};

TEST_F(Handover, EveryProcessGetsIt) {
    std::vector<std::unique_ptr<RankProcess>> processes;
    for (int rank = 1; rank < kRanks; ++rank) {
        processes.push_back(std::make_unique<RankProcess>(std::vector<std::string>{
            handover_->name(), "1", std::to_string(kRanks), std::to_string(rank), "leave"}));
    }
    const Status status = handover_->serve(kRanks - 1, Deadline::after_ms(20000));
    ASSERT_TRUE(status.ok()) << status.text();
    for (auto& process : processes) EXPECT_EQ(process->wait(), 0);
    for (int rank = 1; rank < kRanks; ++rank) {
        EXPECT_EQ(segment_->state_of(rank), RankState::kLeft);
    }
}

TEST_F(Handover, StrangersGetNothingAndDelayNobody) {
    std::vector<OwnedDescriptor> strangers;
    for (int i = 0; i < 150; ++i) strangers.push_back(stranger(i % 2 ? "" : std::string(64, 'x')));
    for (int i = 0; i < 20; ++i) strangers.push_back(stranger(std::string(100 * i + 1, 'y')));
    std::shared_ptr<Segment> fetched;
    std::thread visitor([&] {
        fetched = fetch_segment(handover_->name(), secret_of(1), layout_of(kRanks),
                                Deadline::after_ms(20000))
                      .value();
    });
    EXPECT_TRUE(handover_->serve(1, Deadline::after_ms(20000)).ok());
    visitor.join();
    EXPECT_NE(fetched, nullptr);
    for (auto& socket : strangers) {  // at most a challenge, never a descriptor
        char words[256];
        alignas(cmsghdr) char control[64] = {};
        iovec piece{words, sizeof words};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        while (recvmsg(socket.get(), &message, MSG_DONTWAIT) > 0) {
            EXPECT_EQ(message.msg_controllen, 0u);
            message.msg_controllen = sizeof control;
        }
    }
}

TEST_F(Handover, AnotherSecretIsRefusedOnBothSides) {
    std::thread server([&] {
        const Status status = handover_->serve(1, Deadline::after_ms(300));
        EXPECT_EQ(status.code(), xcclTimeout);
        EXPECT_NE(status.text().find("1 of 1 processes"), std::string::npos);
    });
    const auto fetched =
        fetch_segment(handover_->name(), secret_of(2), layout_of(kRanks), Deadline::after_ms(200));
    EXPECT_EQ(fetched.status().code(), xcclTimeout);
    server.join();
}

TEST_F(Handover, AnotherUserIsRefused) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can play two users";
    RankProcess other({handover_->name(), "1", std::to_string(kRanks), "1", "leave", "0", "65534"});
    EXPECT_EQ(handover_->serve(1, Deadline::after_ms(500)).code(), xcclTimeout);
    EXPECT_EQ(segment_->state_of(1), RankState::kAbsent);
}

TEST_F(Handover, EndsWhenCancelled) {
    std::atomic<bool> cancelled{false};
    const auto interrupted = [&] {
        return cancelled.load() ? invalid_usage("enough") : ok_status();
    };
    std::thread canceller([&] { cancelled.store(true); });
    EXPECT_EQ(handover_->serve(1, Deadline::never(), interrupted).code(), xcclInvalidUsage);
    canceller.join();
    EXPECT_EQ(fetch_segment(handover_->name(), secret_of(1), layout_of(kRanks), Deadline::never(),
                            interrupted)
                  .status()
                  .code(),
              xcclInvalidUsage);
}

TEST_F(Handover, AMakerThatIsGoneIsSaidSo) {
    const std::string name = handover_->name();
    handover_.reset();
    const auto fetched =
        fetch_segment(name, secret_of(1), layout_of(kRanks), Deadline::after_ms(20000));
    EXPECT_EQ(fetched.status().code(), xcclRemoteError);
}

TEST_F(Handover, AnotherLayoutIsRefused) {
    std::thread server([&] { EXPECT_TRUE(handover_->serve(1, Deadline::after_ms(20000)).ok()); });
    const auto fetched = fetch_segment(handover_->name(), secret_of(1), layout_of(kRanks + 1),
                                       Deadline::after_ms(20000));
    EXPECT_EQ(fetched.status().code(), xcclRemoteError);
    server.join();
}

}  // namespace
}  // namespace xccl
