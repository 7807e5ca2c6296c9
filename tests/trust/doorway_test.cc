// Goal: strangers, however many and however rude, cost no more than a bounded number of descriptors
// and keep nobody out.
#include "trust/doorway.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>

#include "doors.h"
#include "trust/dial.h"

namespace xccl {
namespace {

std::size_t open_descriptors() {
    const auto all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class AtTheDoor : public testing::Test {
  protected:
    void expect_a_friend_is_let_in() {
        const auto connection = dial({.addresses = {host_.address()},
                                      .secret = secret_of(1),
                                      .purpose = Purpose::kControl,
                                      .hello = "friend"},
                                     Deadline::after_ms(20000), nullptr);
        ASSERT_TRUE(connection.ok()) << connection.status().text();
        EXPECT_EQ(host_.next_hello(), "friend");
    }
    Host host_{secret_of(1)};
};

TEST_F(AtTheDoor, ManyFriendsAreLetIn) {
    for (int i = 0; i < 20; ++i) expect_a_friend_is_let_in();
}

TEST_F(AtTheDoor, SilentOnesAreBoundedAndMakeRoom) {
    const std::size_t before = open_descriptors();
    std::vector<OwnedDescriptor> silent;
    constexpr std::size_t kSilent = 400, kMostInside = 128;
    for (std::size_t i = 0; i < kSilent; ++i) silent.push_back(connected_socket(host_.address()));
    expect_a_friend_is_let_in();
    EXPECT_LE(open_descriptors(), before + kSilent + kMostInside + 2);
}

// The first words of a client, who is never heard of again.
std::string greeting() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const OwnedDescriptor mine(ends[0]), other(ends[1]);
    Handshake client = Handshake::client(mine.get(), secret_of(9), Purpose::kControl, "");
    EXPECT_EQ(client.advance(), Handshake::Progress::kWantRead);
    char bytes[256];
    const ssize_t count = recv(other.get(), bytes, sizeof bytes, 0);
    return {bytes, static_cast<std::size_t>(count)};
}

TEST_F(AtTheDoor, OnesWhoBeginAndDoNotGoOnMakeRoom) {
    const std::string words = greeting();
    std::vector<OwnedDescriptor> slow;
    for (int i = 0; i < 300; ++i) {
        slow.push_back(connected_socket(host_.address()));
        ASSERT_EQ(send(slow.back().get(), words.data(), words.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(words.size()));
    }
    expect_a_friend_is_let_in();
}

TEST_F(AtTheDoor, GarbageIsTurnedAwayAtOnce) {
    for (int i = 0; i < 300; ++i) {
        const OwnedDescriptor rude = connected_socket(host_.address());
        const std::string words(static_cast<std::size_t>(1 + i * 7), static_cast<char>(i));
        (void)send(rude.get(), words.data(), words.size(), MSG_NOSIGNAL);
        if (i % 100 == 0) expect_a_friend_is_let_in();
    }
    expect_a_friend_is_let_in();
}

}  // namespace
}  // namespace xccl
