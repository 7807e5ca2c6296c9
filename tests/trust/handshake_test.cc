// Goal: both ends know that the other knows the secret, or learn nothing; what follows the
// handshake stays in the socket; no bytes from outside do harm. Method: two state machines over a
// socket pair, by turns; a man in the middle; strangers who send garbage, and every prefix and
// every damage of what a friend would send.
#include "trust/handshake.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <thread>

#include "base/owned_descriptor.h"
#include "doors.h"

namespace xccl {
namespace {

using Progress = Handshake::Progress;

struct Pair {
    OwnedDescriptor a, b;
};

Pair make_pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    return {OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1])};
}

std::string read_all(int socket) {
    char buffer[8192];
    const ssize_t count = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
    return {buffer, count > 0 ? static_cast<std::size_t>(count) : 0};
}

void write_all(int socket, const std::string& bytes) {
    ASSERT_EQ(send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
}

Handshake answering(int socket, const Secret& secret, Purpose purpose = Purpose::kControl) {
    return Handshake::server(socket, secret, purpose,
                             [](const std::string& hello) { return "re: " + hello; });
}

// Both ends, by turns, until neither can go on.
void run_both(Handshake* client, Handshake* server) {
    for (int turn = 0; turn < 10; ++turn) {
        (void)client->advance();
        (void)server->advance();
    }
}

TEST(Handshake, FriendsLearnEachOthersWords) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kMaxHelloBytes - 4}) {
        const Pair pair = make_pair();
        const std::string hello(size, 'h');
        Handshake client = Handshake::client(pair.a.get(), secret_of(1), Purpose::kControl, hello);
        Handshake server = answering(pair.b.get(), secret_of(1));
        run_both(&client, &server);
        EXPECT_EQ(client.advance(), Progress::kDone);
        EXPECT_EQ(server.advance(), Progress::kDone);
        EXPECT_EQ(server.peer_hello(), hello);
        EXPECT_EQ(client.peer_hello(), "re: " + hello);
    }
}

TEST(Handshake, WhatFollowsStaysInTheSocket) {
    const Pair pair = make_pair();
    Handshake client = Handshake::client(pair.a.get(), secret_of(1), Purpose::kControl, "hello");
    Handshake server = answering(pair.b.get(), secret_of(1));
    run_both(&client, &server);
    write_all(pair.a.get(), "from the client");
    write_all(pair.b.get(), "from the server");
    EXPECT_EQ(server.advance(), Progress::kDone);
    EXPECT_EQ(read_all(pair.b.get()), "from the client");
    EXPECT_EQ(read_all(pair.a.get()), "from the server");
}

TEST(Handshake, AnotherSecretIsRefusedAndLearnsNothing) {
    const Pair pair = make_pair();
    Handshake client = Handshake::client(pair.a.get(), secret_of(2), Purpose::kControl, "hello");
    bool answered = false;
    Handshake server =
        Handshake::server(pair.b.get(), secret_of(1), Purpose::kControl, [&](const std::string&) {
            answered = true;
            return std::string("a secret");
        });
    run_both(&client, &server);
    EXPECT_EQ(server.advance(), Progress::kFailed);
    EXPECT_NE(server.failure().text().find("does not know the secret"), std::string::npos);
    EXPECT_FALSE(answered);
    EXPECT_EQ(client.advance(), Progress::kWantRead);
    EXPECT_TRUE(client.challenged());
}

TEST(Handshake, AnotherPurposeOrProtocolIsRefused) {
    const Pair pair = make_pair();
    Handshake client = Handshake::client(pair.a.get(), secret_of(1), Purpose::kData, "hello");
    Handshake server = answering(pair.b.get(), secret_of(1), Purpose::kControl);
    run_both(&client, &server);
    EXPECT_EQ(server.advance(), Progress::kFailed);
    EXPECT_NE(server.failure().text().find("another purpose"), std::string::npos);

    const Pair web = make_pair();
    Handshake other = answering(web.b.get(), secret_of(1));
    write_all(web.a.get(), "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    EXPECT_EQ(other.advance(), Progress::kFailed);
    EXPECT_EQ(read_all(web.a.get()), "");  // not a byte for those who do not know the protocol
}

// All bytes that the client says in a handshake with a server that knows `secret`, and the server.
struct Overheard {
    std::string greeting, hello;
};
Overheard overhear(const Secret& secret) {
    const Pair client_side = make_pair(), server_side = make_pair();
    Handshake client =
        Handshake::client(client_side.a.get(), secret, Purpose::kControl, "overheard");
    Handshake server = answering(server_side.b.get(), secret);
    Overheard overheard;
    (void)client.advance();
    overheard.greeting = read_all(client_side.b.get());
    write_all(server_side.a.get(), overheard.greeting);
    (void)server.advance();
    write_all(client_side.b.get(), read_all(server_side.a.get()));
    (void)client.advance();
    overheard.hello = read_all(client_side.b.get());
    return overheard;
}

TEST(Handshake, AReplayIsRefused) {
    const Overheard overheard = overhear(secret_of(1));
    const Pair pair = make_pair();
    Handshake server = answering(pair.b.get(), secret_of(1));
    write_all(pair.a.get(), overheard.greeting);
    EXPECT_EQ(server.advance(), Progress::kWantRead);
    write_all(pair.a.get(), overheard.hello);
    EXPECT_EQ(server.advance(), Progress::kFailed);
}

TEST(Handshake, AReflectionIsRefused) {
    const Pair pair = make_pair();
    Handshake client = Handshake::client(pair.a.get(), secret_of(1), Purpose::kControl, "hello");
    EXPECT_EQ(client.advance(), Progress::kWantRead);
    const std::string greeting = read_all(pair.b.get());
    write_all(pair.b.get(), greeting.substr(greeting.size() - 32));  // its own nonce
    EXPECT_EQ(client.advance(), Progress::kWantRead);
    write_all(pair.b.get(), read_all(pair.b.get()));  // its own hello and MAC
    EXPECT_EQ(client.advance(), Progress::kFailed);
}

TEST(Handshake, AnyDamageToAnyByteIsNoticed) {
    const Secret secret = secret_of(1);
    const std::size_t size = overhear(secret).hello.size();
    for (std::size_t at = 0; at < size; ++at) {
        const Pair client_side = make_pair(), server_side = make_pair();
        Handshake client =
            Handshake::client(client_side.a.get(), secret, Purpose::kControl, "overheard");
        Handshake server = answering(server_side.b.get(), secret);
        (void)client.advance();
        write_all(server_side.a.get(), read_all(client_side.b.get()));
        (void)server.advance();
        write_all(client_side.b.get(), read_all(server_side.a.get()));
        (void)client.advance();
        std::string hello = read_all(client_side.b.get());
        ASSERT_EQ(hello.size(), size);
        hello[at] = static_cast<char>(hello[at] ^ 1);
        write_all(server_side.a.get(), hello);
        EXPECT_NE(server.advance(), Progress::kDone) << at;
    }
}

TEST(Handshake, BytesMayComeOneByOne) {
    const Pair client_side = make_pair(), server_side = make_pair();
    Handshake client = Handshake::client(client_side.a.get(), secret_of(1), Purpose::kControl, "h");
    Handshake server = answering(server_side.b.get(), secret_of(1));
    for (int round = 0; round < 4; ++round) {
        (void)client.advance();
        for (const char byte : read_all(client_side.b.get())) {
            write_all(server_side.a.get(), {byte});
            (void)server.advance();
        }
        for (const char byte : read_all(server_side.a.get())) {
            write_all(client_side.b.get(), {byte});
            (void)client.advance();
        }
    }
    EXPECT_EQ(client.advance(), Progress::kDone);
    EXPECT_EQ(server.advance(), Progress::kDone);
}

TEST(Handshake, AnAnnouncementOfTooMuchIsRefused) {
    const Pair pair = make_pair();
    Handshake server = answering(pair.b.get(), secret_of(1));
    write_all(pair.a.get(), overhear(secret_of(1)).greeting + "\xff\xff");
    EXPECT_EQ(server.advance(), Progress::kFailed);
    EXPECT_NE(server.failure().text().find("too much"), std::string::npos);
}

TEST(Handshake, ACloseIsAFailureAtEveryStep) {
    const Overheard overheard = overhear(secret_of(1));
    const std::string all = overheard.greeting + overheard.hello;
    for (std::size_t length = 0; length < all.size(); ++length) {
        Pair pair = make_pair();
        Handshake server = answering(pair.b.get(), secret_of(1));
        write_all(pair.a.get(), all.substr(0, length));
        pair.a.reset();
        EXPECT_EQ(server.advance(), Progress::kFailed) << length;
    }
}

TEST(Handshake, RunsToItsEndForThoseWhoMayBlock) {
    const Pair pair = make_pair();
    Handshake client = Handshake::client(pair.a.get(), secret_of(1), Purpose::kControl, "hello");
    Handshake server = answering(pair.b.get(), secret_of(1));
    std::thread other([&] {
        EXPECT_TRUE(run_handshake(&server, pair.b.get(), Deadline::after_ms(20000), nullptr).ok());
    });
    EXPECT_TRUE(run_handshake(&client, pair.a.get(), Deadline::after_ms(20000), nullptr).ok());
    other.join();
    EXPECT_EQ(client.peer_hello(), "re: hello");
}

TEST(Handshake, ASilentPeerCostsTheDeadlineOnly) {
    const Pair pair = make_pair();
    Handshake client = Handshake::client(pair.a.get(), secret_of(1), Purpose::kControl, "hello");
    EXPECT_EQ(run_handshake(&client, pair.a.get(), Deadline::after_ms(5), nullptr).code(),
              xcclTimeout);
    EXPECT_FALSE(client.challenged());
}

}  // namespace
}  // namespace xccl
