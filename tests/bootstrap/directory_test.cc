// Goal: every process gets process 0's value for its call, and strangers, absentees and processes
// that count differently get or cause clear errors and no hang. Method: processes are threads that
// meet on a socket of this host or on loopback.
#include "bootstrap/directory.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "ranks.h"
#include "trust/handshake.h"
#include "trust/wait.h"

namespace xccl {
namespace {

Deadline within(int milliseconds) {
    return Deadline::after_ms(milliseconds);
}

MeetingPlace own_place(const char* what) {
    return MeetingPlace::on_host(fmt::format("directory test {} {}", what, getpid()));
}

bool contains(const Status& status, const std::string& text) {
    if (status.text().find(text) != std::string::npos) return true;
    ADD_FAILURE() << '"' << status.text() << "\" does not say \"" << text << '"';
    return false;
}

// Runs body(rank) for ranks 0 to size - 1 at once.
void in_parallel(int size, const std::function<void(int rank)>& body) {
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size; ++rank) threads.emplace_back(body, rank);
    for (std::thread& thread : threads) thread.join();
}

TEST(Directory, AllGetTheValueOfTheirCall) {
    for (const int size : {1, 2, 7, 40}) {
        const MeetingPlace place = own_place("all");
        std::atomic<int> right = 0;
        in_parallel(size, [&](int rank) {
            for (std::uint64_t number = 0; number < 3; ++number) {
                const std::string value = fmt::format("value {}", number);
                const Visit self{number, rank, size};
                if (rank == 0) {
                    right += hand_out(place, self, value, soon()).ok();
                } else {
                    const auto fetched = fetch(place, self, soon());
                    right += fetched.ok() && *fetched == value;
                    EXPECT_TRUE(fetched.ok()) << fetched.status().text();
                }
            }
        });
        EXPECT_EQ(right, 3 * size);
    }
}

TEST(Directory, AFailureOfProcess0IsEverybodys) {
    const MeetingPlace place = own_place("failure");
    in_parallel(3, [&](int rank) {
        const Visit self{0, rank, 3};
        if (rank == 0) {
            const Status status = hand_out(place, self, system_error("no network"), soon());
            EXPECT_EQ(status.code(), xcclSystemError);
            EXPECT_EQ(status.text(), "no network");
        } else {
            const Status status = fetch(place, self, soon()).status();
            EXPECT_EQ(status.code(), xcclSystemError);
            EXPECT_EQ(status.text(), "process 0 failed: no network");
        }
    });
}

TEST(Directory, Process0NamesWhoDidNotCome) {
    const MeetingPlace place = own_place("absent");
    in_parallel(2, [&](int rank) {
        if (rank == 0) {
            const Status status = hand_out(place, {0, 0, 4}, std::string("v"), within(200));
            EXPECT_EQ(status.code(), xcclTimeout);
            EXPECT_TRUE(contains(status, "2 of 4 processes did not come"));
            EXPECT_TRUE(contains(status, "(rank 1, 3)"));
        } else {
            EXPECT_TRUE(fetch(place, {0, 2, 4}, soon()).ok());
        }
    });
    const Status alone = hand_out(place, {0, 0, 1000}, std::string("v"), within(1));
    EXPECT_TRUE(contains(alone, "(rank 1, 2, 3, 4, 5, 6, 7, 8, ...)"));
}

TEST(Directory, AnAbsentProcess0IsNamed) {
    const Status status = fetch(own_place("nobody"), {0, 1, 2}, within(50)).status();
    EXPECT_EQ(status.code(), xcclTimeout);
    EXPECT_TRUE(
        contains(status, "process 0 of the job was not met at the socket of job directory"));
    EXPECT_TRUE(contains(status, "Connection refused"));
}

TEST(Directory, WhoeverCountsDifferentlyIsTold) {
    const MeetingPlace place = own_place("count");
    in_parallel(2, [&](int rank) {
        if (rank == 0) {
            EXPECT_TRUE(hand_out(place, {4, 0, 2}, std::string("v"), soon()).ok());
            return;
        }
        const Status late = fetch(place, {2, 1, 2}, soon()).status();
        EXPECT_EQ(late.code(), xcclInvalidUsage);
        EXPECT_TRUE(contains(late, "rank 1 asks for id 3 of the job, process 0 is at 5"));
        const Status bigger = fetch(place, {4, 1, 3}, soon()).status();
        EXPECT_EQ(bigger.code(), xcclInvalidUsage);
        EXPECT_TRUE(contains(bigger, "rank 1 of 3 came to process 0 of a job of 2"));
        EXPECT_EQ(fetch(place, {4, 0, 2}, soon()).status().code(), xcclInvalidUsage);
        const Status early = fetch(place, {5, 1, 2}, within(50)).status();
        EXPECT_EQ(early.code(), xcclTimeout);
        EXPECT_TRUE(contains(early, "it has not come to this id yet"));
        EXPECT_TRUE(fetch(place, {4, 1, 2}, soon()).ok());
    });
}

TEST(Directory, AWrongSecretGetsNothing) {
    const std::string name = fmt::format("directory test secret {}", getpid());
    const MeetingPlace place = MeetingPlace::on_host(name, make_secret());
    in_parallel(2, [&](int rank) {
        if (rank == 0) {
            EXPECT_TRUE(hand_out(place, {0, 0, 2}, std::string("v"), soon()).ok());
            return;
        }
        const MeetingPlace wrong = MeetingPlace::on_host(name, make_secret());
        EXPECT_EQ(fetch(wrong, {0, 1, 2}, within(200)).status().code(), xcclTimeout);
        EXPECT_TRUE(fetch(place, {0, 1, 2}, soon()).ok());
    });
}

// A stranger on loopback: connects, says `text`, and stays.
OwnedDescriptor stranger(const MeetingPlace& place, const std::string& text) {
    for (;;) {
        auto connection = place.connect(soon());
        if (connection.ok()) {
            EXPECT_GE(send(connection->get(), text.data(), text.size(), MSG_NOSIGNAL), 0);
            return std::move(connection).value();
        }
        pause_for(1, soon(), nullptr);
    }
}

TEST(Directory, StrangersDoNoHarm) {
    const MeetingPlace place = own_place("strangers");
    in_parallel(2, [&](int rank) {
        if (rank == 0) {
            EXPECT_TRUE(hand_out(place, {0, 0, 2}, std::string("v"), soon()).ok());
            return;
        }
        std::vector<OwnedDescriptor> strangers;
        for (int i = 0; i < 300; ++i) {
            strangers.push_back(
                stranger(place, std::string(i % 3 == 0 ? "" : "GET / HTTP/1.1\r\n")));
        }
        EXPECT_TRUE(fetch(place, {0, 1, 2}, soon()).ok());
    });
}

// Somebody who knows the secret, and yet says something else than a visit.
TEST(Directory, GarbledVisitsAreRefused) {
    const MeetingPlace place = own_place("garbled");
    in_parallel(2, [&](int rank) {
        if (rank == 0) {
            EXPECT_TRUE(hand_out(place, {0, 0, 2}, std::string("v"), soon()).ok());
            return;
        }
        for (const std::size_t size : {0, 1, 15, 17, 4096}) {
            const OwnedDescriptor connection = stranger(place, "");
            Handshake handshake = Handshake::client(connection.get(), place.secret(),
                                                    Purpose::kDirectory, std::string(size, '\1'));
            EXPECT_TRUE(run_handshake(&handshake, connection.get(), soon(), nullptr).ok());
        }
        EXPECT_TRUE(fetch(place, {0, 1, 2}, soon()).ok());
    });
}

TEST(Directory, TheValueCrossesTheWireSealed) {
    const MeetingPlace place = own_place("sealed");
    in_parallel(2, [&](int rank) {
        if (rank == 0) {
            EXPECT_TRUE(hand_out(place, {0, 0, 2}, std::string("a secret value"), soon()).ok());
            return;
        }
        const OwnedDescriptor connection = stranger(place, "");
        ByteWriter hello;
        hello.put(std::uint64_t{0}).put(std::int32_t{1}).put(std::int32_t{2});
        Handshake handshake =
            Handshake::client(connection.get(), place.secret(), Purpose::kDirectory, hello.take());
        EXPECT_TRUE(run_handshake(&handshake, connection.get(), soon(), nullptr).ok());
        EXPECT_GT(handshake.peer_hello().size(), 14U);
        EXPECT_EQ(handshake.peer_hello().find("secret"), std::string::npos);
    });
}

}  // namespace
}  // namespace xccl
