// Goal: what one rank tells, all others hear, with its name on it; a rank that goes silently is
// lost to all, one that says farewell to nobody. Method: all ends in one thread, over socket pairs.
#include "bootstrap/control_star.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstring>

#include "base/bytes.h"
#include "ranks.h"

namespace xccl {
namespace {

class Star : public testing::Test {
  protected:
    void make(int rank_count) {
        std::vector<std::unique_ptr<FrameStream>> spokes(1);
        stars_.resize(1);
        for (int rank = 1; rank < rank_count; ++rank) {
            int ends[2];
            ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
            spokes.push_back(stream(ends[0]));
            std::vector<std::unique_ptr<FrameStream>> only;
            only.push_back(stream(ends[1]));
            raw_.push_back(ends[1]);
            stars_.push_back(std::make_unique<ControlStar>(rank, std::move(only), epoll()));
        }
        stars_[0] = std::make_unique<ControlStar>(0, std::move(spokes), epoll());
    }
    static std::unique_ptr<FrameStream> stream(int socket) {
        return std::make_unique<FrameStream>(OwnedDescriptor(socket), 1024);
    }
    static OwnedDescriptor epoll() { return OwnedDescriptor(epoll_create1(EPOLL_CLOEXEC)); }
    // What `rank` hears once the centre has passed things on.
    std::vector<ControlEvent> heard_by(int rank) {
        auto mine = stars_[0]->poll();
        if (rank == 0) return mine;
        return stars_[static_cast<std::size_t>(rank)]->poll();
    }
    static FailureNotice notice(const char* text) {
        FailureNotice notice;
        notice.culprit_rank = 2;
        notice.result = xcclRemoteError;
        notice.operation = 12345678901234;
        std::strncpy(notice.text, text, sizeof notice.text - 1);
        return notice;
    }

    std::vector<std::unique_ptr<ControlStar>> stars_;
    std::vector<int> raw_;
};

void expect_notice(const std::vector<ControlEvent>& events, int teller, const char* text) {
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, ControlEvent::Kind::kFailure);
    EXPECT_EQ(events[0].rank, teller);
    EXPECT_EQ(events[0].notice.culprit_rank, 2);
    EXPECT_EQ(events[0].notice.result, xcclRemoteError);
    EXPECT_EQ(events[0].notice.operation, 12345678901234u);
    EXPECT_STREQ(events[0].notice.text, text);
}

void expect_loss(const std::vector<ControlEvent>& events, int rank) {
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].kind, ControlEvent::Kind::kLost);
    EXPECT_EQ(events[0].rank, rank);
}

TEST_F(Star, ANoticeReachesAllOthers) {
    make(4);
    const std::string longest(kMaxErrorTextBytes - 1, 'x');
    stars_[3]->send_failure(notice(longest.c_str()));
    expect_notice(heard_by(0), 3, longest.c_str());
    for (const int rank : {1, 2}) expect_notice(heard_by(rank), 3, longest.c_str());
    EXPECT_TRUE(heard_by(3).empty());
    stars_[0]->send_failure(notice("from the centre"));
    for (const int rank : {1, 2, 3}) expect_notice(heard_by(rank), 0, "from the centre");
}

TEST_F(Star, ALossIsToldToAllOnce) {
    make(4);
    stars_[2].reset();
    expect_loss(heard_by(0), 2);
    for (const int rank : {1, 3}) expect_loss(heard_by(rank), 2);
    EXPECT_TRUE(heard_by(0).empty());
    EXPECT_TRUE(heard_by(1).empty());
}

TEST_F(Star, TheLossOfTheCentreIsSeenByAll) {
    make(3);
    stars_[0].reset();
    for (const int rank : {1, 2}) expect_loss(stars_[static_cast<std::size_t>(rank)]->poll(), 0);
}

TEST_F(Star, AFarewellIsNoLoss) {
    make(3);
    stars_[1]->leave();
    stars_[1].reset();
    EXPECT_TRUE(heard_by(0).empty());
    EXPECT_TRUE(heard_by(2).empty());
    stars_[0]->leave();
    stars_[0].reset();
    EXPECT_TRUE(stars_[2]->poll().empty());
}

// The teller that stands in a notice from outside is not believed.
TEST_F(Star, NobodySpeaksForAnother) {
    make(3);
    const std::string body = ByteWriter()
                                 .put(std::int32_t{2})  // "I am rank 2"
                                 .put(std::int32_t{2})
                                 .put(std::int32_t{xcclRemoteError})
                                 .put(std::uint64_t{12345678901234})
                                 .counted("forged")
                                 .take();
    const std::string frame = ByteWriter()
                                  .put(static_cast<std::uint32_t>(body.size()))
                                  .put(std::uint8_t{1})
                                  .raw(body)
                                  .take();
    ASSERT_EQ(send(raw_[0], frame.data(), frame.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(frame.size()));
    expect_notice(heard_by(0), 1, "forged");
    expect_notice(heard_by(2), 1, "forged");
}

TEST_F(Star, OneThatTalksNonsenseIsLost) {
    for (const std::string& bytes : {std::string("\x02\0\0\0\x01xx", 7), std::string(5, '\xff'),
                                     std::string("\0\0\0\0\x63", 5)}) {
        raw_.clear();
        make(3);
        ASSERT_EQ(send(raw_[0], bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
        expect_loss(heard_by(0), 1);
        expect_loss(heard_by(2), 1);
        EXPECT_TRUE(eventually([&] { return !stars_[1]->poll().empty(); }));
    }
}

TEST_F(Star, WhatIsNotTakenAtOnceLeavesLater) {
    make(2);
    for (int i = 0; i < 2000; ++i) stars_[0]->send_failure(notice("again"));
    std::size_t heard = 0;
    EXPECT_TRUE(eventually([&] {
        (void)stars_[0]->poll();
        heard += stars_[1]->poll().size();
        return heard == 2000;
    }));
}

}  // namespace
}  // namespace xccl
