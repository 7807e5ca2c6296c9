// Goal: frames arrive whole and in order however the bytes are cut; a length that is not allowed
// ends the connection; nothing is reserved for bytes that have not come.
#include "bootstrap/frames.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "base/bytes.h"

namespace xccl {
namespace {

class Frames : public testing::Test {
  protected:
    static constexpr std::size_t kMost = 1 << 20;
    void SetUp() override {
        int ends[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        raw_.reset(ends[0]);
        stream_ = std::make_unique<FrameStream>(OwnedDescriptor(ends[1]), kMost);
    }
    void write_raw(const std::string& bytes) {
        ASSERT_EQ(send(raw_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    static std::string frame(std::uint8_t kind, const std::string& body) {
        return ByteWriter().put(static_cast<std::uint32_t>(body.size())).put(kind).raw(body).take();
    }
    OwnedDescriptor raw_;
    std::unique_ptr<FrameStream> stream_;
};

TEST_F(Frames, ArriveWholeHoweverTheBytesAreCut) {
    const std::string bytes = frame(1, "first") + frame(2, "") + frame(3, std::string(300, 'x'));
    std::vector<Frame> frames;
    for (const char byte : bytes) {
        write_raw({byte});
        auto received = stream_->receive();
        ASSERT_TRUE(received.ok());
        if (*received) frames.push_back(**received);
    }
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(frames[0].body, "first");
    EXPECT_EQ(frames[1].kind, 2);
    EXPECT_EQ(frames[2].body, std::string(300, 'x'));
}

TEST_F(Frames, SeveralComeFromOneRead) {
    write_raw(frame(1, "a") + frame(2, "b"));
    EXPECT_EQ((*stream_->receive())->body, "a");
    EXPECT_EQ((*stream_->receive())->body, "b");
    EXPECT_FALSE(*stream_->receive());
    EXPECT_FALSE(stream_->ended());
}

TEST_F(Frames, WhatTheSocketDoesNotTakeNowIsSentLater) {
    FrameStream other(std::move(raw_), kMost);
    const auto body = std::make_shared<const std::string>(kMost, 'y');
    for (int i = 0; i < 4; ++i) stream_->send(7, body);
    int received = 0;
    while (received < 4) {
        ASSERT_TRUE(stream_->flush().ok());
        auto frame = other.receive();
        ASSERT_TRUE(frame.ok());
        if (!*frame) continue;
        EXPECT_EQ((*frame)->body, *body);
        ++received;
    }
    EXPECT_FALSE(stream_->has_output());
}

TEST_F(Frames, AnEndIsToldAfterTheLastFrame) {
    write_raw(frame(1, "last") + "\x09");
    raw_.reset();
    EXPECT_EQ((*stream_->receive())->body, "last");
    EXPECT_FALSE(*stream_->receive());
    EXPECT_TRUE(stream_->ended());
    stream_->send(1, std::string("nobody reads this"));
    EXPECT_EQ(stream_->flush().code(), xcclRemoteError);
}

TEST_F(Frames, ALengthBeyondTheLimitIsAFailure) {
    write_raw(ByteWriter().put(static_cast<std::uint32_t>(kMost + 1)).put(std::uint8_t{1}).take());
    const auto received = stream_->receive();
    EXPECT_EQ(received.status().code(), xcclRemoteError);
    EXPECT_NE(received.status().text().find(std::to_string(kMost)), std::string::npos);
}

}  // namespace
}  // namespace xccl
