// Goal: a call reaches whoever knows the secret, wherever among the addresses; it is given up with
// the reason when that cannot be, and in time.
// Method: a doorway in a thread; listeners that refuse, are silent, talk nonsense, or come late.
#include "trust/dial.h"

#include <gtest/gtest.h>

#include "doors.h"

namespace xccl {
namespace {

CallTerms terms_for(std::vector<SocketAddress> addresses, std::uint8_t secret = 1) {
    return {.addresses = std::move(addresses),
            .secret = secret_of(secret),
            .purpose = Purpose::kControl,
            .hello = "hello"};
}

TEST(Dial, ReachesWhoKnowsTheSecret) {
    Host host(secret_of(1));
    const auto connection = dial(terms_for({host.address()}), Deadline::after_ms(20000), nullptr);
    ASSERT_TRUE(connection.ok()) << connection.status().text();
    EXPECT_EQ(connection->reply, "re: hello");
    EXPECT_EQ(host.next_hello(), "hello");
}

TEST(Dial, GoesOnToTheNextAddress) {
    Host host(secret_of(1)), other(secret_of(2));
    const OwnedDescriptor gone = listening_socket();
    const SocketAddress nobody = *local_address(gone.get());
    ASSERT_EQ(shutdown(gone.get(), SHUT_RD), 0);  // refuses from now on
    const auto connection = dial(terms_for({nobody, other.address(), host.address()}),
                                 Deadline::after_ms(20000), nullptr);
    ASSERT_TRUE(connection.ok()) << connection.status().text();
}

TEST(Dial, NobodyThereIsSaidSoon) {
    OwnedDescriptor listener = listening_socket();
    const SocketAddress nobody = *local_address(listener.get());
    listener.reset();
    const auto connection = dial(terms_for({nobody}), Deadline::never(), nullptr);
    EXPECT_EQ(connection.status().code(), xcclRemoteError);
    EXPECT_NE(connection.status().text().find(endpoint_text(nobody)), std::string::npos);
}

TEST(Dial, AnotherSecretIsRefused) {
    Host host(secret_of(1));
    const auto connection = dial(terms_for({host.address()}, 2), Deadline::never(), nullptr);
    EXPECT_EQ(connection.status().code(), xcclRemoteError);
    EXPECT_NE(connection.status().text().find("secret"), std::string::npos);
}

TEST(Dial, WaitsForWhoMayComeLater) {
    OwnedDescriptor listener = listening_socket();
    const SocketAddress address = *local_address(listener.get());
    listener.reset();
    CallTerms terms = terms_for({address});
    terms.may_come_later = true;
    const auto early = dial(terms, Deadline::after_ms(30), nullptr);
    EXPECT_EQ(early.status().code(), xcclTimeout);
    EXPECT_NE(early.status().text().find("Connection refused"), std::string::npos);
    std::thread late([&] {
        Host host(secret_of(1), listening_socket(address));
        host.next_hello();
    });
    EXPECT_TRUE(dial(terms, Deadline::after_ms(20000), nullptr).ok());
    late.join();
}

TEST(Dial, ASilentListenerCostsTheDeadlineOnly) {
    const OwnedDescriptor silent = listening_socket();  // its backlog accepts, nobody answers
    const auto connection =
        dial(terms_for({*local_address(silent.get())}), Deadline::after_ms(30), nullptr);
    EXPECT_EQ(connection.status().code(), xcclTimeout);
}

TEST(Dial, EndsByTheAbortWord) {
    const OwnedDescriptor silent = listening_socket();
    std::atomic<bool> abort{false};
    std::thread aborter([&] { abort.store(true); });
    const auto connection =
        dial(terms_for({*local_address(silent.get())}), Deadline::never(), &abort);
    aborter.join();
    EXPECT_EQ(connection.status().code(), xcclInvalidUsage);
}

}  // namespace
}  // namespace xccl
