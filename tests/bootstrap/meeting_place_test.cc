// Goal: a place is found by whoever knows its name, is one process's at a time, and lets in nobody
// of another user. Method: real sockets of this host; another user is played by a child that drops
// its rights, where that is allowed.
#include "bootstrap/meeting_place.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "ranks.h"
#include "trust/wait.h"

namespace xccl {
namespace {

std::string own_name(const char* what) {
    return fmt::format("test {} {}", what, getpid());
}

TEST(MeetingPlace, OnHost) {
    const MeetingPlace place = MeetingPlace::on_host(own_name("a"));
    EXPECT_EQ(place.connect(soon()).status().code(), xcclRemoteError);
    const auto listener = place.listen(soon());
    ASSERT_TRUE(listener.ok()) << listener.status().text();
    const auto visitor = MeetingPlace::on_host(own_name("a")).connect(soon());
    ASSERT_TRUE(visitor.ok()) << visitor.status().text();
    EXPECT_TRUE(place.admits(visitor->get()));
    EXPECT_EQ(MeetingPlace::on_host(own_name("b")).connect(soon()).status().code(),
              xcclRemoteError);
}

TEST(MeetingPlace, SecretsFollowNameAndArgument) {
    EXPECT_EQ(MeetingPlace::on_host("a").secret(), MeetingPlace::on_host("a").secret());
    EXPECT_NE(MeetingPlace::on_host("a").secret(), MeetingPlace::on_host("b").secret());
    const Secret secret = make_secret();
    EXPECT_EQ(MeetingPlace::on_host("a", secret).secret(), secret);
    EXPECT_EQ(MeetingPlace::at_address("host:1", secret).secret(), secret);
}

TEST(MeetingPlace, IsOneProcesssAtATime) {
    const MeetingPlace place = MeetingPlace::on_host(own_name("once"));
    auto first = place.listen(soon());
    ASSERT_TRUE(first.ok());
    const auto second = place.listen(Deadline::after_ms(30));
    EXPECT_EQ(second.status().code(), xcclInvalidUsage);
    EXPECT_NE(second.status().text().find("another process listens at the socket of job test once"),
              std::string::npos)
        << second.status().text();
    // Once the first has gone, a second that is waiting gets it.
    std::thread owner([&] {
        pause_for(30, soon(), nullptr);
        first->reset();
    });
    EXPECT_TRUE(place.listen(soon()).ok());
    owner.join();
}

TEST(MeetingPlace, AtAddresses) {
    for (const char* host : {"127.0.0.1", "[::1]", "localhost"}) {
        const std::string endpoint = fmt::format("{}:{}", host, free_port());
        const MeetingPlace place = MeetingPlace::at_address(endpoint, make_secret());
        EXPECT_EQ(place.text(), endpoint);
        const auto listener = place.listen(soon());
        if (!listener.ok() && std::string(host) == "[::1]") continue;  // no IPv6 here
        ASSERT_TRUE(listener.ok()) << listener.status().text();
        EXPECT_TRUE(place.connect(soon()).ok()) << host;
        EXPECT_EQ(place.listen(Deadline::after_ms(1)).status().code(), xcclInvalidUsage);
    }
}

TEST(MeetingPlace, AddressesThatAreNotOurs) {
    // A network for documentation: it belongs to nobody.
    const MeetingPlace place = MeetingPlace::at_address("198.51.100.1:7000", make_secret());
    const auto listener = place.listen(soon());
    EXPECT_EQ(listener.status().code(), xcclSystemError);
    EXPECT_NE(listener.status().text().find("process 0 cannot listen at 198.51.100.1:7000"),
              std::string::npos)
        << listener.status().text();
}

TEST(MeetingPlace, UnknownHostsMayAppearLater) {
    const MeetingPlace place = MeetingPlace::at_address("no-such-host.invalid:7000", make_secret());
    const auto visit = place.connect(soon());
    EXPECT_EQ(visit.status().code(), xcclRemoteError);
    EXPECT_NE(visit.status().text().find("no-such-host.invalid is not known"), std::string::npos);
}

// The exit code of a child that runs as another user.
template <typename Body>
int as_somebody_else(Body body) {
    const pid_t child = fork();
    if (child == 0) {
        if (setresuid(65533, 65533, 65533) != 0) _exit(77);
        _exit(body());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(MeetingPlace, OtherUsersHaveOtherPlacesAndAreNotAdmitted) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
    const std::string name = own_name("users");
    const MeetingPlace place = MeetingPlace::on_host(name);
    const auto listener = place.listen(soon());
    ASSERT_TRUE(listener.ok());
    // The same name is another place for him, and the place itself refuses him on both sides.
    EXPECT_EQ(as_somebody_else([&] {
                  const bool same = MeetingPlace::on_host(name).connect(soon()).ok();
                  const auto forced = place.connect(soon());
                  const bool warned =
                      forced.status().text().find("another user") != std::string::npos;
                  return !same && warned ? 0 : 1;
              }),
              0);
    OwnedDescriptor stranger(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(bool(stranger));
    EXPECT_FALSE(place.admits(stranger.get()));
}

}  // namespace
}  // namespace xccl
